import { ORT_FOLDER, ortFiles } from '../runtime/ort-files'
import type { BackendName } from '../runtime/report'
import type { Studio } from '../store/studio'
import { keepForOffline, registerWorker } from './register'

/**
 * Once a model is loaded, and the network and processor are free: starts the service worker, and has it keep the runtime of
 * the backend in use for the next time without a network. The other runtimes are large and stay away.
 * @param base where the app is served from, with a trailing slash
 */
export function followRuntime(studio: Studio, base: string): void {
  studio.model.subscribe(({ phase, loaded }, before) => {
    if (phase === 'ready' && before.phase !== 'ready' && loaded)
      void keepRuntime(loaded.backend.backend, base)
  })
}

async function keepRuntime(backend: BackendName, base: string): Promise<void> {
  if (await registerWorker(base))
    await keepForOffline(ortFiles(backend).map((name) => `${base}${ORT_FOLDER}${name}`))
}
