import { useEffect, useRef, useState } from 'react'
import { Button } from 'react-aria-components'

import { useStudio } from '../studio-context'

/** A live camera; one press takes its picture. The camera is off again when this is closed. */
export function Camera({ onClose }: { onClose: () => void }) {
  const studio = useStudio()
  const ref = useRef<HTMLVideoElement>(null)
  const [ready, setReady] = useState(false)
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    let stream: MediaStream | undefined
    let closed = false
    const off = (): void => stream?.getTracks().forEach((track) => track.stop())
    openCamera().then(
      (opened) => {
        stream = opened
        if (closed) off()
        else if (ref.current) ref.current.srcObject = opened
      },
      (error: unknown) => !closed && setProblem(explain(error)),
    )
    return () => {
      closed = true
      off()
    }
  }, [])
  const press = (): void => {
    const video = ref.current
    if (video) void studio.sources.useCamera(video).then(onClose)
  }
  return (
    <div className="source">
      {problem === undefined ? (
        <video
          ref={ref}
          className="camera"
          aria-label="Camera"
          autoPlay
          playsInline
          muted
          onLoadedData={() => setReady(true)}
        />
      ) : (
        <p className="source-error" role="alert">
          {problem}
        </p>
      )}
      <div className="source-actions">
        <Button className="button secondary small" isDisabled={!ready} onPress={press}>
          Take the picture
        </Button>
        <Button className="button secondary small" onPress={onClose}>
          Cancel
        </Button>
      </div>
    </div>
  )
}

async function openCamera(): Promise<MediaStream> {
  // Absent on pages that are not served securely, whatever the types say.
  const devices = navigator.mediaDevices as MediaDevices | undefined
  if (!devices) throw new DOMException('', 'NotFoundError')
  return devices.getUserMedia({ video: true })
}

function explain(error: unknown): string {
  const name = error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError')
    return 'The camera may not be used here. Allow it beside the page address, then try again.'
  if (name === 'NotFoundError') return 'No camera was found. Connect one, or choose an image file.'
  return 'The camera could not be started. Close other programs that use it, then try again.'
}
