import { describe, expect, it } from 'vitest'

import { CatalogError, packageUrl } from '../../../src/store/catalog'

const page = 'http://localhost:4173/?model=x'

describe('packageUrl', () => {
  it('finds ids under models/ and paths on this site', () => {
    expect(packageUrl('worlds-128', '/', page)).toBe('http://localhost:4173/models/worlds-128/')
    expect(packageUrl('wan2.1-1.3b', '/', page)).toBe('http://localhost:4173/models/wan2.1-1.3b/')
    expect(packageUrl('/fixtures/tiny', '/', page)).toBe('http://localhost:4173/fixtures/tiny/')
  })

  it('refuses other sites, however they are spelled', () => {
    for (const model of ['https://example.org/m/', '//example.org/m', 'data:text/plain,x/']) {
      expect(() => packageUrl(model, '/', page)).toThrow(CatalogError)
    }
  })
})
