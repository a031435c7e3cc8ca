import { Button } from 'react-aria-components'

import { AlertIcon, CloseIcon } from './icons'
import { useRequest, useStudio } from './studio-context'

/** What the user should know about the link they opened; stays until dismissed. */
export function Notices() {
  const studio = useStudio()
  const notices = useRequest((state) => state.notices)
  if (notices.length === 0) return null
  return (
    <div className="notices" role="alert">
      <AlertIcon />
      <ul>
        {notices.map((notice) => (
          <li key={notice}>{notice}</li>
        ))}
      </ul>
      <Button className="icon-button" aria-label="Dismiss" onPress={() => studio.dismissNotices()}>
        <CloseIcon />
      </Button>
    </div>
  )
}
