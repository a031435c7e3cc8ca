import { useState } from 'react'
import { Button, FileTrigger } from 'react-aria-components'

import { CameraIcon, ImageIcon } from '../icons'
import { useSource, useStudio } from '../studio-context'
import { Camera } from './Camera'
import { CropPreview } from './CropPreview'
import { SourceMessage } from './SourceMessage'

/** The image that the take begins with: dropped, pasted, picked or taken with a camera. */
export function ImageSource() {
  const studio = useStudio()
  const picture = useSource((state) => state.picture)
  const [camera, setCamera] = useState(false)
  const pick = (files: FileList | null): void => {
    const file = files?.[0]
    if (file) void studio.sources.useImage(file, file.name)
  }
  if (camera) return <Camera onClose={() => setCamera(false)} />
  return (
    <div className="source">
      {picture ? (
        <CropPreview picture={picture} />
      ) : (
        <p className="dropzone">Drop an image here, or paste one. It becomes the first moment of the clip.</p>
      )}
      <div className="source-actions">
        <FileTrigger acceptedFileTypes={['image/*']} onSelect={pick}>
          <Button className="button secondary small">
            <ImageIcon size={16} />
            {picture ? 'Choose another' : 'Choose an image'}
          </Button>
        </FileTrigger>
        <Button className="button secondary small" onPress={() => setCamera(true)}>
          <CameraIcon size={16} />
          Camera
        </Button>
      </div>
      <SourceMessage task="image" />
    </div>
  )
}
