/** Where the app is served from: a path with a trailing slash. The build runs in any folder. For the page; workers have no document. */
export const appBase = (): string => new URL(import.meta.env.BASE_URL, document.baseURI).pathname
