import { ControlPanel } from './controls/ControlPanel'
import { Gallery } from './gallery/Gallery'
import { Header } from './header/Header'
import { Notices } from './Notices'
import { Stage } from './stage/Stage'
import { useStudio } from './studio-context'
import { useFileDrop } from './use-file-drop'
import { useShortcuts } from './use-shortcuts'

export function App() {
  const studio = useStudio()
  useShortcuts(studio)
  const dropping = useFileDrop(studio)
  return (
    <div className="app" data-dropping={dropping}>
      <Header />
      <Notices />
      <main className="workspace">
        <Stage />
        <ControlPanel />
        <Gallery />
      </main>
    </div>
  )
}
