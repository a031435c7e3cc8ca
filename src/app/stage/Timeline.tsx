import { Filmstrip } from './Filmstrip'
import { Transport } from './Transport'
import { useTransportKeys } from './use-transport-keys'
import { useStudio } from '../studio-context'

/** Everything about time: the clip as a strip of its chunks, and how it plays. */
export function Timeline() {
  useTransportKeys(useStudio())
  return (
    <section className="timeline" aria-label="Timeline">
      <Filmstrip />
      <Transport />
    </section>
  )
}
