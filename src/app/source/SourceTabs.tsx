import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components'

import { encoderProblem, type Task } from '../../store/source'
import { loadLater } from '../load-later'
import { useModel, useSource, useStudio } from '../studio-context'

const ImageSource = loadLater(() => import('./ImageSource').then((part) => part.ImageSource))
const ClipSource = loadLater(() => import('./ClipSource').then((part) => part.ClipSource))

/** The task: what the take begins with. */
export function SourceTabs() {
  const studio = useStudio()
  const task = useSource((state) => state.task)
  // In the place of what could not be used: told before anything is chosen.
  const problem = useModel(({ loaded }) => encoderProblem(loaded?.manifest))
  const refusal = problem === undefined ? undefined : <p className="dropzone">{problem}</p>
  return (
    <Tabs
      className="tabs"
      selectedKey={task}
      onSelectionChange={(key) => studio.sources.setTask(key as Task)}
    >
      <TabList className="tablist" aria-label="Task">
        <Tab id="text" className="tab">
          Text
        </Tab>
        <Tab id="image" className="tab">
          Image
        </Tab>
        <Tab id="continue" className="tab">
          Continue
        </Tab>
      </TabList>
      <TabPanel id="text" className="tabpanel empty-panel" />
      <TabPanel id="image" className="tabpanel">
        {refusal ?? <ImageSource />}
      </TabPanel>
      <TabPanel id="continue" className="tabpanel">
        {refusal ?? <ClipSource />}
      </TabPanel>
    </Tabs>
  )
}
