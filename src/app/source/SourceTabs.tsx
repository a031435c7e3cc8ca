import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components'

import type { Task } from '../../store/source'
import { useSource, useStudio } from '../studio-context'
import { ClipSource } from './ClipSource'
import { ImageSource } from './ImageSource'

/** The task: what the take begins with. */
export function SourceTabs() {
  const studio = useStudio()
  const task = useSource((state) => state.task)
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
        <ImageSource />
      </TabPanel>
      <TabPanel id="continue" className="tabpanel">
        <ClipSource />
      </TabPanel>
    </Tabs>
  )
}
