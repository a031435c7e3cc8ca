import { Fact } from '../Fact'
import { loadLater } from '../load-later'
import { useModel } from '../studio-context'

const AnyStepSection = loadLater(() => import('./AnyStepSection').then((part) => part.AnyStepSection))

/** Keys that work anywhere but in a text field. */
const keys: readonly (readonly [keys: string, does: string])[] = [
  ['Ctrl Enter', 'Generate'],
  ['Esc', 'Stop'],
  ['Space', 'Play or pause'],
  ['← →', 'One frame back or on'],
  ['Home End', 'First or last frame'],
  ['J K L', 'Backwards, pause, forwards; again for faster'],
  ['F', 'Full screen'],
  ['H', 'Measurements'],
]

/** What runs where, what was measured, and the keys. */
export function About() {
  const backend = useModel((state) => state.loaded?.backend)
  const manifest = useModel((state) => state.loaded?.manifest)
  return (
    <>
      <p>
        One small network makes video from a sentence, in 1 step or in 64. It runs in this tab, on this
        machine.
        <strong> Nothing leaves it:</strong> no prompt, no picture and no measurement is sent anywhere.
      </p>
      <dl className="facts about-facts">
        <Fact
          name="Model"
          value={
            manifest
              ? `${manifest.name}, downloaded from where it is served, checked by SHA-256, kept in this browser`
              : 'none is loaded yet'
          }
        />
        <Fact
          name="Inference"
          value={
            backend
              ? `${backend.label}, in a worker of this page. ${backend.reason}`
              : 'starts with the model'
          }
        />
        <Fact name="Pictures" value="decoded, played and encoded in workers of this page" />
        <Fact
          name="Takes"
          value="in this browser’s storage, until you delete them or clear the site’s data"
        />
        <Fact name="Network" value="only to fetch this app and models; once loaded, both work without" />
      </dl>
      <AnyStepSection />
      <h3 className="about-title">Keys</h3>
      <dl className="facts about-facts">
        {keys.map(([name, does]) => (
          <div key={name}>
            <dt>
              {name.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p className="muted small">
        The method is AnyFlow, on-policy flow-map distillation (arXiv 2605.13724). Drop an exported MP4 on the
        page and its settings come back.
      </p>
    </>
  )
}
