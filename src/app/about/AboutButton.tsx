import { Button, Dialog, DialogTrigger, Heading, Modal } from 'react-aria-components'

import { CloseIcon, InfoIcon } from '../icons'
import { loadLater } from '../load-later'

const About = loadLater(() => import('./About').then((part) => part.About))

/** Opens what there is to know about the app. */
export function AboutButton() {
  return (
    <DialogTrigger>
      <Button className="icon-button" aria-label="About">
        <InfoIcon />
      </Button>
      <Modal className="modal" isDismissable>
        <Dialog className="dialog">
          <div className="dialog-head">
            <Heading slot="title">About AnyFlow Studio</Heading>
            <Button slot="close" className="icon-button" aria-label="Close">
              <CloseIcon />
            </Button>
          </div>
          <About />
        </Dialog>
      </Modal>
    </DialogTrigger>
  )
}
