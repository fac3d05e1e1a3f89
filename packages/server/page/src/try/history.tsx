import { useState } from 'preact/hooks'
import type { DiagnosisDocument } from '../server-documents.ts'

/** An answer of before: no file, and no name of one. */
interface HistoryEntry extends Pick<DiagnosisDocument, 'id' | 'model' | 'labels' | 'reasoning' | 'seed'> {
  readonly at: string
}

const storageKey = 'qoq-history'
const maxEntries = 20

/** Answers of before, which stay in this browser. */
export function useHistory() {
  const [entries, setEntries] = useState<readonly HistoryEntry[]>(stored)
  const keep = (next: readonly HistoryEntry[]): void => {
    setEntries(next)
    localStorage.setItem(storageKey, JSON.stringify(next))
  }
  return {
    entries,
    add: ({ id, model, labels, reasoning, seed }: DiagnosisDocument): void => {
      const entry = { at: new Date().toISOString(), id, model, labels, reasoning, seed }
      keep([entry, ...entries].slice(0, maxEntries))
    },
    clear: () => keep([]),
  }
}

function stored(): readonly HistoryEntry[] {
  try {
    return JSON.parse(localStorage.getItem(storageKey) ?? '[]') as HistoryEntry[] // written above
  } catch {
    return []
  }
}

/** Lists answers of before. */
export function History({ entries, onClear }: { entries: readonly HistoryEntry[]; onClear: () => void }) {
  if (entries.length === 0) return null
  return (
    <details class="history">
      <summary>{`Earlier answers (${entries.length}), kept in this browser`}</summary>
      <ol>
        {entries.map(({ id, at, model, labels, reasoning }) => (
          <li key={id}>
            <p>{`${new Date(at).toLocaleString()}, ${model}: ${labels.join(', ') || 'no label'}`}</p>
            <p class="reasoning">{reasoning}</p>
          </li>
        ))}
      </ol>
      <button type="button" onClick={onClear}>
        Forget them
      </button>
    </details>
  )
}
