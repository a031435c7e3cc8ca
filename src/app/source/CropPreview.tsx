import { Slider, SliderThumb, SliderTrack } from 'react-aria-components'

import { slackAxis } from '../../media/fit'
import type { Picture } from '../../media/picture'
import { useSource, useStudio } from '../studio-context'
import { FrameImage } from './FrameImage'

/** Longest side of the preview, CSS pixels. */
const SIZE = 168

/** The picture with the part that is used; the part is dragged, or moved with the arrow keys. */
export function CropPreview({ picture }: { picture: Picture }) {
  const studio = useStudio()
  const position = useSource((state) => state.position)
  const { bitmap, frame, name } = picture
  const scale = SIZE / Math.max(bitmap.width, bitmap.height)
  const axis = slackAxis(bitmap, frame)
  const box = { width: bitmap.width * scale, height: bitmap.height * scale }
  const crop = { width: frame.width * scale, height: frame.height * scale }
  const isVertical = axis === 'y'
  // The thumb is as large as the part, and its middle moves along the track: the track ends half a part early.
  const track = isVertical
    ? { left: 0, width: box.width, top: crop.height / 2, height: box.height - crop.height }
    : { top: 0, height: box.height, left: crop.width / 2, width: box.width - crop.width }
  return (
    <figure className="crop">
      <div className="crop-box" style={box}>
        <FrameImage image={bitmap} width={bitmap.width} height={bitmap.height} label={name} />
        <Slider
          className="crop-slider"
          aria-label="Crop"
          orientation={isVertical ? 'vertical' : 'horizontal'}
          minValue={0}
          maxValue={100}
          // A vertical slider grows upwards, a picture downwards.
          value={Math.round((isVertical ? 1 - position : position) * 100)}
          isDisabled={axis === undefined}
          onChange={(value) =>
            studio.sources.store.setState({ position: isVertical ? 1 - value / 100 : value / 100 })
          }
        >
          <SliderTrack className="crop-track" style={{ position: 'absolute', ...track }}>
            <SliderThumb
              className="crop-thumb"
              style={{ ...crop, ...(isVertical ? { left: box.width / 2 } : { top: box.height / 2 }) }}
            />
          </SliderTrack>
        </Slider>
      </div>
      <figcaption className="source-hint">
        <span className="source-name">{name}</span>
        {axis === undefined ? 'Used whole' : 'Drag the frame to choose the part'}
      </figcaption>
    </figure>
  )
}
