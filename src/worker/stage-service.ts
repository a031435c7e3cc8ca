import type { StageCalls } from './protocol'
import { type Handlers, Transferred } from './rpc'
import type { Stage } from './stage'

/** The stage worker's calls. */
export function stageHandlers(stage: Stage): Handlers<StageCalls> {
  return {
    connect: ({ engine }) => {
      stage.connect(engine)
      return undefined
    },
    attachCanvas: async ({ canvas }) => {
      await stage.attach(canvas)
      return undefined
    },
    resizeCanvas: async ({ width, height }) => {
      await stage.resize(width, height)
      return undefined
    },
    attachEstimate: ({ canvas }) => {
      stage.attachEstimate(canvas)
      return undefined
    },
    play: () => stage.play(),
    pause: () => stage.pause(),
    seek: ({ frame }) => stage.seek(frame),
    setPlayback: (playback) => stage.setPlayback(playback),
    present: (clip) => stage.present(clip),
    getFrame: ({ index, kept }) => {
      const frame = stage.frame(index, kept)
      return new Transferred(frame, [frame.rgba.buffer])
    },
    digest: () => stage.digest(),
    keep: () => ({ kept: stage.keep() }),
    showKept: ({ kept }) => stage.showKept(kept),
    dropKept: ({ kept }) => {
      stage.dropKept(kept)
      return undefined
    },
    attachTile: ({ canvas, kept, sync }) => ({ tile: stage.attachTile(canvas, kept, sync) }),
    detachTile: ({ tile }) => {
      stage.detachTile(tile)
      return undefined
    },
  }
}
