import { useState } from 'react'
import { Button, FileTrigger, Form, Input, Label, TextField } from 'react-aria-components'

import { useModelLibrary, useStudio } from '../studio-context'

/** A package from an address or a folder. */
export function AddModel() {
  const { library } = useStudio()
  const busy = useModelLibrary((state) => state.busy !== undefined)
  const [address, setAddress] = useState('')
  const addFolder = (files: FileList | null): void => {
    const chosen = [...(files ?? [])].map((file) => ({
      path: file.webkitRelativePath || file.name,
      content: file,
    }))
    if (chosen.length > 0) void library.addFolder(chosen)
  }
  return (
    <Form
      className="add-model"
      onSubmit={(event) => {
        event.preventDefault()
        void library.addUrl(address)
      }}
    >
      <TextField className="textfield" value={address} onChange={setAddress}>
        <Label>Add a model from an address</Label>
        <Input className="input" type="url" placeholder="https://example.org/models/my-model/" />
      </TextField>
      <div className="dialog-actions">
        <Button className="button secondary small" type="submit" isDisabled={busy || address.trim() === ''}>
          Add from address
        </Button>
        <FileTrigger acceptDirectory onSelect={addFolder}>
          <Button className="button secondary small" isDisabled={busy}>
            Add from folder
          </Button>
        </FileTrigger>
      </div>
    </Form>
  )
}
