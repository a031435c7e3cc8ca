import type { AnyStepLine } from '../../store/any-step'

/** The numbers of the plots, for whom a picture says nothing. */
export function AnyStepTable({ lines }: { lines: readonly AnyStepLine[] }) {
  const steps = [...new Set(lines.flatMap(({ points }) => points.map((point) => point.steps)))].toSorted(
    (a, b) => a - b,
  )
  return (
    <details className="plot-table">
      <summary>The numbers</summary>
      <div className="plot-table-scroll">
        <table>
          <caption>Fréchet distance, and prompt accuracy, by number of steps</caption>
          <thead>
            <tr>
              <th scope="col">Method</th>
              {steps.map((count) => (
                <th key={count} scope="col">
                  {count}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.map(({ name, points }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {steps.map((count) => {
                  const point = points.find((other) => other.steps === count)
                  return (
                    <td key={count}>
                      {point ? `${point.frechet.toFixed(1)}, ${Math.round(100 * point.accuracy)}%` : '–'}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}
