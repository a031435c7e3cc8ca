import '@fontsource-variable/geist'
import '@fontsource-variable/geist-mono'
import './styles/index.css'

import { StrictMode } from 'react'
import { UNSAFE_PortalProvider as PortalProvider } from 'react-aria/PortalProvider'
import { I18nProvider } from 'react-aria-components'
import { createRoot } from 'react-dom/client'

import { App } from './app/App'
import { appBase } from './app-base'
import { overlayContainer } from './app/stage/FullScreenButton'
import { StudioProvider } from './app/studio-context'
import { installTestHook } from './app/test-hook'
import { applyTheme, initialTheme } from './app/theme'

import { chooseDestination } from './export/save'
import { WorkerExporter } from './export/worker-exporter'
import { openGalleryStorage } from './gallery/client'
import { followRuntime } from './offline/follow-runtime'
import { prepareIsolation } from './offline/register'
import { Studio } from './store/studio'
import { createGenerator } from './worker/client'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root element')

applyTheme(initialTheme())

const base = appBase()
const studio = new Studio({
  generator: createGenerator(),
  exporter: new WorkerExporter(),
  gallery: openGalleryStorage(),
  base,
  href: () => location.href,
  replaceUrl: (url) => history.replaceState(null, '', url),
  session: sessionStorage,
  local: localStorage,
  openCache: async () => (await import('./models/cache')).openFileCache(),
  chooseDestination,
})
installTestHook(studio)

createRoot(root).render(
  <StrictMode>
    {/* The page is in English, whatever the browser speaks: its controls must not turn to right-to-left by themselves. */}
    <I18nProvider locale="en-US">
      <StudioProvider value={studio}>
        <PortalProvider getContainer={overlayContainer}>
          <App />
        </PortalProvider>
      </StudioProvider>
    </I18nProvider>
  </StrictMode>,
)

async function start(): Promise<void> {
  // The development server has no worker, and sends the headers itself.
  if (import.meta.env.PROD) {
    if (!(await prepareIsolation(base))) return
    followRuntime(studio, base)
  }
  void studio.gallery.load()
  await studio.loadModel()
}

void start()
