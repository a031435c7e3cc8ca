/**
 * The preview canvas. It takes bitmaps, whoever made them: drawn by WGSL in the engine worker on WebGPU, or made here
 * from pixels. So one canvas serves every backend.
 */

import type { FromStage } from './protocol'

export class Screen {
  private canvas: OffscreenCanvas | undefined
  private context: ImageBitmapRenderingContext | undefined
  private video = { width: 1, height: 1 }
  /** Backing store chosen by the page; the video's own size until then. */
  private chosen: { width: number; height: number } | undefined
  private readonly asked = new Map<number, (bitmap: ImageBitmap | undefined) => void>()
  private nextRequest = 1

  attach(canvas: OffscreenCanvas): void {
    const context = canvas.getContext('bitmaprenderer')
    if (!context) throw new Error('the canvas has another kind of context already')
    this.canvas = canvas
    this.context = context
    this.applySize()
  }

  setVideoSize(width: number, height: number): void {
    this.video = { width, height }
    this.applySize()
  }

  resize(width: number, height: number): void {
    this.chosen = { width: Math.max(1, Math.round(width)), height: Math.max(1, Math.round(height)) }
    this.applySize()
  }

  /** Shows a frame drawn by the engine; false when it could not draw it. */
  async showDrawn(index: number, engine: MessagePort | undefined): Promise<boolean> {
    if (!engine || !this.context) return false
    const request = this.nextRequest++
    const bitmap = await new Promise<ImageBitmap | undefined>((resolve) => {
      this.asked.set(request, resolve)
      engine.postMessage({ type: 'draw', request, index, ...this.size } satisfies FromStage)
    })
    if (!bitmap) return false
    this.context.transferFromImageBitmap(bitmap)
    return true
  }

  async showPixels(rgba: Uint8ClampedArray<ArrayBuffer>): Promise<void> {
    if (!this.context) return
    const { width, height } = this.size
    const image = new ImageData(rgba, this.video.width, this.video.height)
    const scaled = width !== this.video.width || height !== this.video.height
    const bitmap = await createImageBitmap(
      image,
      scaled ? { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' } : {},
    )
    this.context.transferFromImageBitmap(bitmap)
  }

  /**
   * Shows a picture of any size over the whole canvas.
   * @param isDue asked when it is ready: what was due then may be over.
   */
  async showSmall(
    rgba: Uint8ClampedArray<ArrayBuffer>,
    width: number,
    height: number,
    isDue: () => boolean,
  ): Promise<boolean> {
    if (!this.context) return isDue()
    const { width: resizeWidth, height: resizeHeight } = this.size
    const bitmap = await createImageBitmap(new ImageData(rgba, width, height), {
      ...{ resizeWidth, resizeHeight },
      resizeQuality: 'high',
    })
    const due = isDue()
    if (due) this.context.transferFromImageBitmap(bitmap)
    else bitmap.close()
    return due
  }

  /** An empty canvas. */
  clear(): void {
    this.context?.transferFromImageBitmap(null)
  }

  answer(request: number, bitmap: ImageBitmap | undefined): void {
    const resolve = this.asked.get(request)
    this.asked.delete(request)
    if (resolve) resolve(bitmap)
    else bitmap?.close()
  }

  /** Nobody will answer any more. */
  cancelAnswers(): void {
    for (const resolve of this.asked.values()) resolve(undefined)
    this.asked.clear()
  }

  private get size(): { width: number; height: number } {
    return this.chosen ?? this.video
  }

  private applySize(): void {
    if (!this.canvas) return
    const { width, height } = this.size
    if (this.canvas.width !== width) this.canvas.width = width
    if (this.canvas.height !== height) this.canvas.height = height
  }
}
