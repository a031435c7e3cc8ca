import { Button, Dialog, DialogTrigger, Modal } from 'react-aria-components'

import { CloseIcon, CompareIcon } from '../icons'
import { loadLater } from '../load-later'
import { useGallery, useStudio } from '../studio-context'

const Comparison = loadLater(() => import('./Comparison').then((part) => part.Comparison))

/** Opens the comparison once two takes are chosen. */
export function CompareButton() {
  const compared = useGallery((state) => state.compared)
  const { gallery } = useStudio()
  if (compared.length === 0) return null
  return (
    <>
      <DialogTrigger>
        <Button className="button secondary small" isDisabled={compared.length < 2}>
          <CompareIcon size={16} />
          {compared.length < 2 ? 'Choose a second take' : 'Compare'}
        </Button>
        <Modal className="modal wide" isDismissable>
          <Dialog className="dialog" aria-label="Compare takes">
            <Comparison ids={compared} />
          </Dialog>
        </Modal>
      </DialogTrigger>
      <Button
        className="icon-button"
        aria-label="Clear the comparison"
        onPress={() => gallery.clearCompared()}
      >
        <CloseIcon />
      </Button>
    </>
  )
}
