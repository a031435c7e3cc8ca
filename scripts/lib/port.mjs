import { createServer } from 'node:net'

/** @returns {Promise<number>} a port that nothing listens on, so that test runs side by side do not meet */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, 'localhost', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
