import { describe, expect, it } from 'vitest'

import { Player } from '../../src/render/player'
import { quantiseFrame } from '../../src/render/quantise'

describe('quantiseFrame', () => {
  it('clamps, rounds to nearest and interleaves planes', () => {
    // Two frames of 2 x 1: planes red, green, blue.
    const data = Float32Array.of(9, 9, 9, 9, 9, 9, 0, 1, 0.5, -0.2, 1.4, 1 / 255)
    expect([...quantiseFrame(data, 1, 2, 1)]).toEqual([0, 128, 255, 255, 255, 0, 1, 255])
    expect([...quantiseFrame(Float32Array.of(NaN, 0.498, 0.499), 0, 1, 1)]).toEqual([0, 127, 127, 255])
  })
})

describe('Player', () => {
  it('loops over what is there at the given rate', () => {
    const player = new Player()
    player.reset(10, 1000)
    expect(player.frameAt(1000)).toBe(-1)
    player.setCount(3, 2000)
    expect([2000, 2099, 2100, 2250, 2300, 2601].map((now) => player.frameAt(now))).toEqual([0, 0, 1, 2, 0, 0])
  })

  it('keeps the beat and the place when more frames come', () => {
    const player = new Player()
    player.reset(10, 0)
    player.setCount(3, 0)
    expect(player.frameAt(250)).toBe(2)
    player.setCount(9, 250)
    expect(player.frameAt(299)).toBe(2)
    expect(player.frameAt(300)).toBe(3)
    expect(player.frameAt(850)).toBe(8)
    expect(player.frameAt(900)).toBe(0)
  })

  it('pauses where it is, seeks within what is there, and goes on from there', () => {
    const player = new Player()
    player.reset(10, 0)
    player.setCount(5, 0)
    player.pause(230)
    expect(player.frameAt(9999)).toBe(2)
    player.seek(99)
    expect(player.frameAt(0)).toBe(4)
    player.seek(-3)
    expect(player.frameAt(0)).toBe(0)
    player.seek(3)
    player.play(5000)
    expect([5000, 5100, 5200].map((now) => player.frameAt(now))).toEqual([3, 4, 0])
  })

  it('goes on when frames are lost', () => {
    const player = new Player()
    player.reset(10, 0)
    player.setCount(9, 0)
    player.setCount(5, 850)
    expect(player.frameAt(850)).toBeLessThan(5)
    expect(player.frameAt(850)).toBeGreaterThanOrEqual(0)
    player.setCount(0, 900)
    expect(player.frameAt(900)).toBe(-1)
  })
})
