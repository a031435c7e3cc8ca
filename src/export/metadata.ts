/**
 * A take's settings inside its MP4: a top-level `uuid` box (ISO/IEC 14496-12, section 11.1) after everything else. Players
 * skip boxes they do not know, so nothing about the video changes.
 */

/** Names our box among all others. */
const BOX_ID = Uint8Array.of(
  ...[0x8e, 0x5d, 0x27, 0x1c, 0x4b, 0xb1, 0x4f, 0x0d, 0x9a, 0x6c, 0x61, 0x6e, 0x79, 0x66, 0x6c, 0x77],
)

/** Boxes a file may have before the search ends, and the largest text that is read, bytes. */
const MAX_BOXES = 4096
const MAX_TEXT = 2 ** 20

/** The box with a text in it, to be put at the end of a file. */
export function settingsBox(text: string): Uint8Array<ArrayBuffer> {
  const content = new TextEncoder().encode(text)
  const box = new Uint8Array(24 + content.length)
  const view = new DataView(box.buffer)
  view.setUint32(0, box.length)
  box.set(new TextEncoder().encode('uuid'), 4)
  box.set(BOX_ID, 8)
  box.set(content, 24)
  return box
}

/** The text of {@link settingsBox} in an MP4; `undefined` when it has none, or is no MP4. Reads the boxes' heads only. */
export async function readSettings(file: Blob): Promise<string | undefined> {
  let offset = 0
  for (let count = 0; count < MAX_BOXES && offset + 8 <= file.size; count++) {
    const head = new DataView(await file.slice(offset, offset + 24).arrayBuffer())
    const type = head.getUint32(4)
    let size = head.getUint32(0)
    let header = 8
    // 1: the size follows in 64 bits; 0: the box goes to the end of the file.
    if (size === 1 && head.byteLength >= 16) {
      size = Number(head.getBigUint64(8))
      header = 16
    } else if (size === 0) size = file.size - offset
    if (size < header || offset + size > file.size) return undefined
    // A file starts with what it is; anything else is no MP4.
    if (offset === 0 && type !== 0x66747970) return undefined
    if (type === 0x75756964 && size > 24 && size <= 24 + MAX_TEXT && isOurs(head)) {
      return file.slice(offset + 24, offset + size).text()
    }
    offset += size
  }
  return undefined
}

function isOurs(head: DataView): boolean {
  return head.byteLength >= 24 && BOX_ID.every((byte, i) => head.getUint8(8 + i) === byte)
}
