/** SHA-256 by the platform's own implementation. */

import { StudioError } from '../errors'

/** Lower-case hex digest. @throws StudioError where `crypto.subtle` is missing (an insecure page). */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle
  if (!subtle) {
    throw new StudioError(
      'internal',
      'This page is not a secure context, so the model cannot be verified. Open it over https or on localhost.',
    )
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
