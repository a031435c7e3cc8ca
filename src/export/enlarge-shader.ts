/** WGSL of the Lanczos enlargement: sideways, then up and down, as `resample.ts` does it on the CPU. */

/** Side of a workgroup, which works on a square of pixels. */
export const ENLARGE_WORKGROUP = 8

export const ENLARGE_SHADER = /* wgsl */ `
struct Shape { width: u32, height: u32, scale: u32, taps: u32 }

@group(0) @binding(0) var<uniform> shape: Shape;
// A row of taps for each of the scale positions between two samples.
@group(0) @binding(1) var<storage, read> weights: array<f32>;
// Bytes red, green, blue, alpha of a pixel.
@group(0) @binding(2) var<storage, read> source: array<u32>;
// Enlarged sideways only.
@group(0) @binding(3) var<storage, read_write> wide: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result: array<u32>;

// Beyond the edge the edge goes on.
fn neighbour(at: u32, tap: u32, count: u32) -> u32 {
  return u32(clamp(i32(at) + i32(tap) - i32(shape.taps / 2), 0, i32(count) - 1));
}

@compute @workgroup_size(${ENLARGE_WORKGROUP}, ${ENLARGE_WORKGROUP})
fn sideways(@builtin(global_invocation_id) id: vec3u) {
  let columns = shape.width * shape.scale;
  if (id.x >= columns || id.y >= shape.height) { return; }
  let first = (id.x % shape.scale) * shape.taps;
  var sum = vec4f();
  for (var tap = 0u; tap < shape.taps; tap++) {
    let x = neighbour(id.x / shape.scale, tap, shape.width);
    sum += weights[first + tap] * 255.0 * unpack4x8unorm(source[id.y * shape.width + x]);
  }
  wide[id.y * columns + id.x] = sum;
}

@compute @workgroup_size(${ENLARGE_WORKGROUP}, ${ENLARGE_WORKGROUP})
fn up_and_down(@builtin(global_invocation_id) id: vec3u) {
  let columns = shape.width * shape.scale;
  if (id.x >= columns || id.y >= shape.height * shape.scale) { return; }
  let first = (id.y % shape.scale) * shape.taps;
  var sum = vec4f();
  for (var tap = 0u; tap < shape.taps; tap++) {
    let y = neighbour(id.y / shape.scale, tap, shape.height);
    sum += weights[first + tap] * wide[y * columns + id.x];
  }
  let bytes = vec4u(clamp(round(sum), vec4f(), vec4f(255.0)));
  result[id.y * columns + id.x] = bytes.x | (bytes.y << 8) | (bytes.z << 16) | 0xff000000u;
}
`
