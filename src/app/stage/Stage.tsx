import { SweepView } from '../compare/SweepView'
import { WipeView } from '../compare/WipeView'
import { EstimateBadge } from './EstimateBadge'
import { Hud } from './Hud'
import { PreviewCanvas } from './PreviewCanvas'
import { StageOverlay } from './StageOverlay'
import { StatusBar } from './StatusBar'
import { Timeline } from './Timeline'
import { useModel, useTake } from '../studio-context'

/** The left side: the picture, how to play it, and how the making goes. */
export function Stage() {
  const video = useModel((state) => state.loaded?.manifest.video)
  const shown = useTake((state) => state.shown)
  const width = shown?.width ?? video?.width ?? 1
  const height = shown?.height ?? video?.height ?? 1
  return (
    <section className="stage" aria-label="Preview">
      <div className="screen" style={{ '--aspect': width / height } as React.CSSProperties}>
        <div className="picture">
          <PreviewCanvas />
          <StageOverlay />
          <EstimateBadge />
          <WipeView />
          <Hud />
        </div>
        <SweepView />
      </div>
      <Timeline />
      <StatusBar />
    </section>
  )
}
