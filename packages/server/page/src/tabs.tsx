import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'

/** A tab and what it shows. */
export interface Tab {
  readonly id: string
  readonly title: string
  readonly body: ComponentChildren
}

/** Tabs by the pattern of WAI-ARIA: arrow keys move between them, and a panel keeps what it holds when it is left. */
export function Tabs({ tabs }: { tabs: readonly Tab[] }) {
  const [shown, setShown] = useState(0)
  const list = useRef<HTMLDivElement>(null)
  const moved = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    const next = (shown + step + tabs.length) % tabs.length
    setShown(next)
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus()
  }
  return (
    <>
      <div role="tablist" aria-label="Parts of this page" ref={list} onKeyDown={moved}>
        {tabs.map(({ id, title }, i) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-controls={`panel-${id}`}
            aria-selected={i === shown}
            tabIndex={i === shown ? 0 : -1}
            onClick={() => setShown(i)}
          >
            {title}
          </button>
        ))}
      </div>
      <main>
        {tabs.map(({ id, body }, i) => (
          <div key={id} role="tabpanel" id={`panel-${id}`} aria-labelledby={`tab-${id}`} hidden={i !== shown}>
            {body}
          </div>
        ))}
      </main>
    </>
  )
}
