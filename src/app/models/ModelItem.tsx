import { Button, Dialog, DialogTrigger, Heading, Popover, ProgressBar } from 'react-aria-components'

import { isLocal } from '../../models/stored-manifests'
import { formatBytes, formatDuration } from '../../store/format'
import type { ModelEntry } from '../../store/model-library'
import type { ModelSpeed } from '../../store/model-speed'
import { Fact } from '../Fact'
import { useModel, useModelLibrary, useRequest, useStudio } from '../studio-context'
import { usageOf } from './usage'

/** One model: what it is and needs, and what can be done with it. */
export function ModelItem({ entry }: { entry: ModelEntry }) {
  const { library } = useStudio()
  // Another package may have the same id: a copy, or the next version from a folder.
  const wanted = useRequest((state) => state.model)
  const loadedManifest = useModel((state) => state.loaded?.manifest)
  const { manifest } = entry
  const use = usageOf(entry, library.baseOf(wanted), loadedManifest)
  return (
    <li className="model" data-loaded={use !== 'none'} aria-label={manifest?.name ?? entry.path}>
      <h3>
        {manifest?.name ?? entry.path}
        {use === 'none' ? null : (
          <span className="tag">{use === 'this' ? 'In use' : 'Another version in use'}</span>
        )}
      </h3>
      {entry.problem ? <p className="bad">{entry.problem}</p> : null}
      {manifest ? (
        <>
          <p className="muted">{manifest.description}</p>
          <dl className="facts">
            <Fact
              name="Video"
              value={`${manifest.video.width} x ${manifest.video.height}, ${manifest.video.fps} fps, up to ${manifest.video.maxFrames} frames`}
            />
            <Fact name="Size" value={`${formatBytes(entry.bytes)}${installedText(entry.installed)}`} />
            <Fact
              name="Memory"
              value={entry.memory ? `about ${formatBytes(entry.memory.total)}, computed` : ''}
            />
            <Fact
              name="Speed"
              value={entry.speed ? speedText(entry.speed) : 'not measured yet: make a take'}
            />
            <div>
              <dt>Licence</dt>
              <dd>
                <Licence licence={manifest.licence} />
              </dd>
            </div>
            <Fact name="From" value={originOf(entry)} />
            <Fact name="Made" value={`${manifest.provenance.date}, ${manifest.provenance.config}`} />
          </dl>
        </>
      ) : null}
      <Actions entry={entry} loaded={use === 'this'} />
    </li>
  )
}

function Actions({ entry, loaded }: { entry: ModelEntry; loaded: boolean }) {
  const studio = useStudio()
  const { library } = studio
  const busy = useModelLibrary((state) => state.busy)
  if (busy?.base === entry.base) return <DownloadProgress />
  return (
    <div className="model-actions">
      {loaded ? null : (
        <Button
          className="button secondary small"
          isDisabled={!entry.manifest}
          onPress={() => void studio.choose({ model: entry.path })}
        >
          Use
        </Button>
      )}
      {entry.installed < 1 && entry.manifest && !isLocal(entry.base) ? (
        <Button
          className="button secondary small"
          isDisabled={busy !== undefined}
          onPress={() => void library.download(entry.base)}
        >
          {entry.installed > 0 ? 'Finish download' : 'Download'}
        </Button>
      ) : null}
      {entry.installed > 0 || !entry.ofSite ? (
        <DialogTrigger>
          <Button className="button secondary small" isDisabled={busy !== undefined}>
            Delete from browser
          </Button>
          <Popover className="popover" placement="top">
            <Dialog className="dialog" role="alertdialog">
              <Heading slot="title">Delete this model?</Heading>
              <p className="muted small">
                {entry.manifest ? formatBytes(entry.installed * entry.bytes) : 'All its files'}
                {entry.ofSite
                  ? ' will be downloaded again when it is next used.'
                  : ' go, and it must be added again to be used.'}
              </p>
              <div className="dialog-actions">
                <Button
                  slot="close"
                  className="button secondary small"
                  onPress={() => void library.remove(entry.base)}
                >
                  Delete
                </Button>
                <Button slot="close" className="button secondary small">
                  Keep
                </Button>
              </div>
            </Dialog>
          </Popover>
        </DialogTrigger>
      ) : null}
    </div>
  )
}

/** How far the package that comes is, and Stop. */
export function DownloadProgress() {
  const { library } = useStudio()
  const progress = useModelLibrary((state) => state.busy?.progress)
  const share = progress && progress.totalBytes > 0 ? progress.loadedBytes / progress.totalBytes : 0
  return (
    <div className="model-actions">
      <ProgressBar className="bar model-bar" aria-label="Download" value={share * 100}>
        <span className="bar-fill" style={{ transform: `scaleX(${share})` }} />
      </ProgressBar>
      <span className="muted small">
        {progress
          ? `${formatBytes(progress.loadedBytes)} of ${formatBytes(progress.totalBytes)}`
          : 'Starting'}
      </span>
      <Button className="button secondary small" onPress={() => library.cancel()}>
        Stop download
      </Button>
    </div>
  )
}

function installedText(share: number): string {
  if (share === 0) return ', not in this browser'
  return share < 1 ? `, ${Math.floor(share * 100)}% in this browser` : ', in this browser'
}

/** Where the package comes from: two may have the same name. */
function originOf({ base, ofSite }: ModelEntry): string {
  if (ofSite) return 'this site'
  if (isLocal(base)) return 'a folder on this machine'
  const { host, pathname } = new URL(base)
  return host === location.host ? pathname : host + pathname
}

function speedText({ passMs, framesPerSecond, steps, backend }: ModelSpeed): string {
  return `${formatDuration(passMs)} a pass, ${framesPerSecond.toFixed(1)} frames a second at ${steps} steps (${backend})`
}

function Licence({ licence }: { licence: { name: string; url?: string | undefined } }) {
  // The manifest may come from anywhere: only a web address becomes a link.
  if (!licence.url?.startsWith('https://')) return licence.name
  return (
    <a href={licence.url} target="_blank" rel="noreferrer">
      {licence.name}
    </a>
  )
}
