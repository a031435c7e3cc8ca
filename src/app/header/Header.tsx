import { AboutButton } from '../about/AboutButton'
import { BackendBadge } from './BackendBadge'
import { Logo } from './Logo'
import { ModelsButton } from './ModelsButton'
import { ThemeToggle } from './ThemeToggle'

export function Header() {
  return (
    <header className="header">
      <h1 className="brand">
        <Logo />
        <span>
          AnyFlow <em>Studio</em>
        </span>
      </h1>
      <div className="header-tools">
        <ModelsButton />
        <BackendBadge />
        <ThemeToggle />
        <AboutButton />
      </div>
    </header>
  )
}
