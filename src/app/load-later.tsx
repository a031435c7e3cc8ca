import { type ComponentType, lazy, Suspense } from 'react'

/**
 * A part that comes when it is first wanted, so that the page starts sooner. Where it cannot come (offline on the first visit) it
 * says so in its own place, and the rest goes on.
 */
export function loadLater<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  const Part = lazy(async (): Promise<{ default: ComponentType<P> }> => {
    const part = await load().catch(() => Missing)
    return { default: part }
  }) as unknown as ComponentType<P>
  return function Later(props: P) {
    return (
      <Suspense fallback={null}>
        <Part {...props} />
      </Suspense>
    )
  }
}

function Missing() {
  return (
    <p className="bad" role="alert">
      This part could not be loaded. Check the network, then reload the page.
    </p>
  )
}
