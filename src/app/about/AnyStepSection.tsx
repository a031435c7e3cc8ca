import { useEffect, useState } from 'react'

import { appBase } from '../../app-base'
import { type AnyStep, fetchAnyStep, measuredModel } from '../../store/any-step'
import { useModel } from '../studio-context'
import { AnyStepTable } from './AnyStepTable'
import { LINE_STYLES, Plot } from './Plot'

/** What more steps are worth, as measured; nothing where nothing was. */
export function AnyStepSection() {
  const [data, setData] = useState<AnyStep>()
  const loaded = useModel((state) => state.loaded?.manifest)
  useEffect(() => {
    let current = true
    void fetchAnyStep(appBase(), loaded && measuredModel(loaded)).then((read) => current && setData(read))
    return () => {
      current = false
    }
  }, [loaded])
  if (!data) return null
  const { lines, floor, clips, models } = data
  // Eight lines in one small plot are told apart by nobody; the table has them all.
  const drawn = lines.filter(({ comparable }) => comparable)
  return (
    <section className="any-step" aria-labelledby="any-step-title">
      <h3 id="any-step-title" className="about-title">
        Quality against steps
      </h3>
      <p className="muted small">
        Measured on {clips} clips of prompts that training never saw. Bands are 95% intervals.
      </p>
      {loaded && !lines.some(({ own }) => own) ? (
        <p className="muted small">
          Nothing was measured for the loaded model, {loaded.name}. These are the numbers of{' '}
          {models.join(' and ')}.
        </p>
      ) : null}
      <ul className="plot-legend">
        {drawn.map(({ name }, i) => (
          <li key={name} data-line={i % LINE_STYLES}>
            <svg aria-hidden="true" viewBox="0 0 28 8" width="28" height="8">
              <path className="plot-line" d="M0 4H28" />
            </svg>
            {name}
          </li>
        ))}
        <li>
          <svg aria-hidden="true" viewBox="0 0 28 8" width="28" height="8">
            <path className="plot-floor" d="M0 4H28" />
          </svg>
          Renders against renders
        </li>
      </ul>
      <div className="plots">
        <Plot
          title="Fréchet distance, lower is better"
          lines={drawn.map(({ points }) =>
            points.map(({ steps, frechet, low, high }) => ({ steps, value: frechet, low, high })),
          )}
          floor={floor}
        />
        <Plot
          title="Prompt accuracy, %, higher is better"
          lines={drawn.map(({ points }) =>
            points.map(({ steps, accuracy }) => ({ steps, value: 100 * accuracy })),
          )}
          max={100}
        />
      </div>
      <AnyStepTable lines={lines} />
    </section>
  )
}
