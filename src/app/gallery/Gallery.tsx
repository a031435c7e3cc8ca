import { useState } from 'react'
import { Button, FileTrigger, ToggleButton } from 'react-aria-components'

import { TAKE_FILE_EXTENSION } from '../../gallery/take-file'
import { formatBytes } from '../../store/format'
import type { GalleryState } from '../../store/gallery'
import { importFile } from '../../store/open-file'
import { GridIcon, ImportIcon } from '../icons'
import { useGallery, useStudio } from '../studio-context'
import { CompareButton } from './Compare'
import { GalleryMessages } from './GalleryMessages'
import { TakeCard } from './TakeCard'

/** Every take made in this browser. A strip below the stage, or a grid when all are wanted. */
export function Gallery() {
  const takes = useGallery((state) => state.takes)
  const ready = useGallery((state) => state.ready)
  const [all, setAll] = useState(false)
  return (
    <section className="gallery" aria-label="Gallery" data-empty={takes.length === 0}>
      <div className="gallery-head">
        <h2>Gallery</h2>
        <p className="gallery-room">{useGallery(roomText)}</p>
        <div className="gallery-tools">
          <CompareButton />
          <ImportButton />
          <ToggleButton
            className="icon-button"
            aria-label="Show all takes"
            isDisabled={takes.length === 0}
            isSelected={all && takes.length > 0}
            onChange={setAll}
          >
            <GridIcon />
          </ToggleButton>
        </div>
      </div>
      <GalleryMessages />
      {takes.length > 0 ? (
        <ul className="takes" data-all={all}>
          {takes.map((take) => (
            <TakeCard key={take.id} take={take} />
          ))}
        </ul>
      ) : (
        <p className="gallery-empty muted">
          {ready ? 'Takes are kept here, in this browser, as they are made.' : ''}
        </p>
      )}
    </section>
  )
}

function ImportButton() {
  const studio = useStudio()
  const importAll = async (files: readonly File[]): Promise<void> => {
    for (const file of files) await importFile(studio, file)
  }
  return (
    <FileTrigger
      acceptedFileTypes={[`.${TAKE_FILE_EXTENSION}`, 'video/mp4']}
      allowsMultiple
      onSelect={(files) => void importAll([...(files ?? [])])}
    >
      <Button className="icon-button" aria-label="Import takes">
        <ImportIcon />
      </Button>
    </FileTrigger>
  )
}

/** How many takes, their size, and the room that models and takes share. */
function roomText({ takes, room }: GalleryState): string {
  if (takes.length === 0) return ''
  const bytes = takes.reduce((sum, take) => sum + take.bytes, 0)
  const count = `${takes.length} ${takes.length === 1 ? 'take' : 'takes'}, ${formatBytes(bytes)}`
  return room ? `${count} · ${formatBytes(room.used)} of ${formatBytes(room.quota)} used with models` : count
}
