import { useEffect, useRef, useState } from 'react'
import { Button, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components'

import type { TakeRecord } from '../../gallery/records'
import { formatBytes, formatClipLength } from '../../store/format'
import { restoreSettings } from '../../store/kept-take'
import { Aside } from '../Aside'
import { MoreIcon } from '../icons'
import { useGallery, useStudio, useTake } from '../studio-context'
import { TakeThumb } from './TakeThumb'

/** One kept take: press to open it in the preview, the rest is in its menu. */
export function TakeCard({ take }: { take: TakeRecord }) {
  const { gallery } = useStudio()
  const shown = useGallery((state) => state.shownId === take.id)
  const place = useGallery((state) => state.compared.indexOf(take.id))
  const [active, setActive] = useState(false)
  const [menuOpen, setMenuOpen] = useState(false)
  const imported = useGallery((state) => (state.imported?.id === take.id ? state.imported : undefined))
  const item = useRef<HTMLLIElement>(null)
  useEffect(() => {
    if (imported) item.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [imported])
  const { prompt, seed, steps } = take.request
  const stepsText = steps === 1 ? '1 step' : `${steps} steps`
  const running = useTake(({ phase }) => phase === 'running')
  const numbers = [stepsText, formatClipLength(take.frames, take.fps), ...notes(take, running && shown)].join(
    ' · ',
  )
  return (
    <li
      ref={item}
      className="take"
      data-shown={shown}
      data-compared={place >= 0}
      onPointerEnter={() => setActive(true)}
      onPointerLeave={() => setActive(false)}
      onFocus={() => setActive(true)}
      onBlur={() => setActive(false)}
    >
      <Button
        className="take-open"
        aria-label={`Open “${prompt}” ${numbers}, seed ${seed}`}
        aria-current={shown}
        onPress={() => void gallery.open(take.id)}
      >
        <TakeThumb take={take} active={active || menuOpen} />
        {place >= 0 ? <Aside className="take-place" text={place === 0 ? 'A' : 'B'} /> : null}
        <span className="take-facts">
          <span className="take-prompt">{prompt}</span> <span className="take-numbers">{numbers}</span>
        </span>
      </Button>
      <TakeMenu take={take} onOpenChange={setMenuOpen} />
    </li>
  )
}

/** What there is to say of a take that was not made to its end. */
function notes({ state, request }: TakeRecord, inHand: boolean): string[] {
  if (state === 'done') return []
  // There is no other end than to be stopped.
  if (request.endless && !inHand) return ['endless']
  if (state === 'stopped') return ['stopped']
  return [inHand ? 'in the making' : 'unfinished']
}

interface MenuProps {
  take: TakeRecord
  onOpenChange: (isOpen: boolean) => void
}

function TakeMenu({ take, onOpenChange }: MenuProps) {
  const studio = useStudio()
  const compared = useGallery((state) => state.compared.includes(take.id))
  const { gallery } = studio
  const actions = {
    settings: () => void restoreSettings(studio, take),
    compare: () => gallery.toggleCompared(take.id),
    file: () => void gallery.exportFile(take.id),
    remove: () => void gallery.remove(take.id),
  }
  return (
    <MenuTrigger onOpenChange={onOpenChange}>
      <Button className="icon-button take-more" aria-label={`Actions for “${take.request.prompt}”`}>
        <MoreIcon />
      </Button>
      <Popover className="popover menu-popover" placement="top end">
        <p className="menu-head muted">
          {new Date(take.made).toLocaleString()} · {formatBytes(take.bytes)} · {take.model.name} ·{' '}
          {take.backend}
        </p>
        <Menu className="menu" onAction={(key) => actions[key as keyof typeof actions]()}>
          <MenuItem id="settings" className="menu-item">
            Restore settings
          </MenuItem>
          <MenuItem id="compare" className="menu-item">
            {compared ? 'Do not compare' : 'Compare'}
          </MenuItem>
          <MenuItem id="file" className="menu-item">
            Save as file
          </MenuItem>
          <MenuItem id="remove" className="menu-item danger">
            Delete
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  )
}
