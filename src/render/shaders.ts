/** WGSL: decoder output to packed pixels, packed pixels to a canvas. */

/** Threads of a pack workgroup. */
export const PACK_WORKGROUP = 256

/** `[4, 3, H, W]` float planes to one RGBA8 word a pixel, frames side by side. */
export const PACK_SHADER = /* wgsl */ `
struct Shape { area: u32, offset: u32, count: u32, _pad: u32 }
@group(0) @binding(0) var<storage, read> planes: array<f32>;
@group(0) @binding(1) var<storage, read_write> pixels: array<u32>;
@group(0) @binding(2) var<uniform> shape: Shape;

@compute @workgroup_size(${PACK_WORKGROUP})
fn pack(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= shape.area * shape.count) { return; }
  let frame = i / shape.area + shape.offset;
  let p = frame * 3u * shape.area + i % shape.area;
  let color = vec4f(planes[p], planes[p + shape.area], planes[p + 2u * shape.area], 1.0);
  pixels[i] = pack4x8unorm(clamp(color, vec4f(0.0), vec4f(1.0)));
}
`

/**
 * Draws packed pixels over the whole target with Catmull-Rom interpolation, which keeps small videos crisp when they
 * are shown large, and copies exactly when the sizes agree.
 */
export const DRAW_SHADER = /* wgsl */ `
struct View { source: vec2u, target_size: vec2u, first: u32, _pad0: u32, _pad1: u32, _pad2: u32 }
@group(0) @binding(0) var<storage, read> pixels: array<u32>;
@group(0) @binding(1) var<uniform> view: View;

@vertex
fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
  return vec4f(f32(i % 2u) * 4.0 - 1.0, f32(i / 2u) * 4.0 - 1.0, 0.0, 1.0);
}

fn texel(x: i32, y: i32) -> vec3f {
  let size = vec2i(view.source);
  let at = clamp(vec2i(x, y), vec2i(0), size - 1);
  return unpack4x8unorm(pixels[view.first + u32(at.y * size.x + at.x)]).rgb;
}

fn weights(t: f32) -> vec4f {
  let t2 = t * t;
  let t3 = t2 * t;
  return vec4f(
    -0.5 * t + t2 - 0.5 * t3,
    1.0 - 2.5 * t2 + 1.5 * t3,
    0.5 * t + 2.0 * t2 - 1.5 * t3,
    -0.5 * t2 + 0.5 * t3,
  );
}

@fragment
fn shade(@builtin(position) position: vec4f) -> @location(0) vec4f {
  let at = position.xy * vec2f(view.source) / vec2f(view.target_size) - 0.5;
  let base = floor(at);
  let wx = weights(at.x - base.x);
  let wy = weights(at.y - base.y);
  let x = i32(base.x) - 1;
  let y = i32(base.y) - 1;
  var color = vec3f(0.0);
  for (var j = 0; j < 4; j++) {
    let row = wx.x * texel(x, y + j) + wx.y * texel(x + 1, y + j)
            + wx.z * texel(x + 2, y + j) + wx.w * texel(x + 3, y + j);
    color += wy[j] * row;
  }
  return vec4f(clamp(color, vec3f(0.0), vec3f(1.0)), 1.0);
}
`
