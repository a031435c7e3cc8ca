/** Page to the service worker. */
export interface KeepMessage {
  readonly type: 'keep'
  /** Addresses that the page loaded before the worker was there and will want without a network; absolute. */
  readonly urls: readonly string[]
}
