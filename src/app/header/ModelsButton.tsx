import { Button, Dialog, DialogTrigger, Heading, Modal } from 'react-aria-components'

import { Aside } from '../Aside'
import { CloseIcon, CubeIcon } from '../icons'
import { loadLater } from '../load-later'
import { useModel } from '../studio-context'

const ModelsPanel = loadLater(() => import('../models/ModelsPanel').then((part) => part.ModelsPanel))

/** Says which model is loaded, and opens the list of all. */
export function ModelsButton() {
  const name = useModel((state) => state.loaded?.manifest.name)
  return (
    <DialogTrigger>
      <Button className="pill" aria-label="Models">
        <CubeIcon size={16} />
        <span className="pill-text">
          Models
          {name ? <Aside className="pill-value" text={name} /> : null}
        </span>
      </Button>
      <Modal className="modal" isDismissable>
        <Dialog className="dialog">
          <div className="dialog-head">
            <Heading slot="title">Models</Heading>
            <Button slot="close" className="icon-button" aria-label="Close">
              <CloseIcon />
            </Button>
          </div>
          <ModelsPanel />
        </Dialog>
      </Modal>
    </DialogTrigger>
  )
}
