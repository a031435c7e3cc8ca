import { useEffect } from 'react'
import { Button } from 'react-aria-components'

import type { Manifest } from '../../models/manifest'
import { AlertIcon, CloseIcon } from '../icons'
import { useModel, useModelLibrary, useStudio } from '../studio-context'
import { AddModel } from './AddModel'
import { DownloadProgress, ModelItem } from './ModelItem'

/** Every model of this site and this browser, and how to add one. */
export function ModelsPanel() {
  const { library } = useStudio()
  const entries = useModelLibrary((state) => state.entries)
  const problem = useModelLibrary((state) => state.problem)
  const replacing = useModelLibrary((state) => state.replacing)
  // What is not in the list yet shows that it comes.
  const adding = useModelLibrary(({ busy, entries: listed }) =>
    listed.some(({ base }) => base === busy?.base) ? undefined : busy?.base,
  )
  // What is loaded changes what is installed.
  const phase = useModel((state) => state.phase)
  useEffect(() => void library.refresh(), [library, phase])
  return (
    <>
      {problem ? (
        <div className="gallery-message" data-tone="error" role="alert">
          <AlertIcon />
          <span>{problem}</span>
          <Button className="icon-button" aria-label="Dismiss" onPress={() => library.dismissProblem()}>
            <CloseIcon />
          </Button>
        </div>
      ) : null}
      <ul className="models" aria-label="Installed and available">
        {entries.map((entry) => (
          <ModelItem key={entry.base} entry={entry} />
        ))}
        {adding === undefined ? null : (
          <li className="model" aria-label="Model being added">
            <h3>{adding === 'folder' ? 'From a folder' : adding}</h3>
            <DownloadProgress />
          </li>
        )}
      </ul>
      {replacing ? <Replace manifest={replacing.manifest} /> : null}
      <AddModel />
      <p className="muted small">
        Memory is computed from the manifest: weights, the attention cache at the longest clip and the
        decoder’s state; buffers inside operators come on top. Speed is what the last whole take measured on
        this machine.
      </p>
    </>
  )
}

/** A folder would take the place of another one's package. */
function Replace({ manifest }: { manifest: Manifest }) {
  const { library } = useStudio()
  return (
    <div className="gallery-message" role="alert">
      <div className="dialog">
        <span>
          Another version of {manifest.name} ({manifest.id}) is here from a folder. The one just chosen was
          made {manifest.provenance.date}; both cannot be kept.
        </span>
        <div className="dialog-actions">
          <Button className="button secondary small" onPress={() => void library.replace(true)}>
            Replace
          </Button>
          <Button className="button secondary small" onPress={() => void library.replace(false)}>
            Keep the old one
          </Button>
        </div>
      </div>
    </div>
  )
}
