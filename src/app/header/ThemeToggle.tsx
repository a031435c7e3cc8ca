import { useState } from 'react'
import { Button } from 'react-aria-components'

import { MoonIcon, SunIcon } from '../icons'
import { initialTheme, saveTheme } from '../theme'

export function ThemeToggle() {
  const [theme, setTheme] = useState(initialTheme)
  const other = theme === 'dark' ? 'light' : 'dark'
  const toggle = (): void => {
    saveTheme(other)
    setTheme(other)
  }
  return (
    <Button className="icon-button" aria-label={`Use the ${other} theme`} onPress={toggle}>
      {theme === 'dark' ? <SunIcon /> : <MoonIcon />}
    </Button>
  )
}
