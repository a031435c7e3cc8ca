/** Runs asynchronous work one piece at a time, in order. Concurrent ORT calls hang or crash its WebAssembly build. */
export class SerialQueue {
  private tail: Promise<unknown> = Promise.resolve()

  /** Runs `work` after everything queued before it, whether that succeeded or not. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(work, work)
    this.tail = result.catch(() => undefined)
    return result
  }
}
