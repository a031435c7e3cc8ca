/**
 * A stop that is seen at once. A message waits until the worker is done with what it is doing, and a whole pass on WASM
 * never lets go of the thread; a word of shared memory can be read in between. It needs a cross-origin isolated page; where
 * there is none, the stop message alone has to do.
 */
export class StopFlag {
  private readonly cell: Int32Array<SharedArrayBuffer>

  /** @param buffer 4 bytes, the same on both sides; a new flag is not raised. */
  constructor(readonly buffer: SharedArrayBuffer) {
    this.cell = new Int32Array(buffer)
  }

  /** @returns `undefined` where memory cannot be shared. */
  static create(): StopFlag | undefined {
    if (typeof SharedArrayBuffer === 'undefined') return undefined
    return new StopFlag(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  }

  /** For good: every take has a flag of its own, so that a late stop never ends the next one. */
  raise(): void {
    Atomics.store(this.cell, 0, 1)
  }

  get isRaised(): boolean {
    return Atomics.load(this.cell, 0) !== 0
  }
}
