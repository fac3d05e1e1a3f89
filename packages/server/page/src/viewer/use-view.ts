import { useEffect, useState } from 'preact/hooks'
import { postForm } from '../server-api.ts'
import type { ViewDocument } from '../server-documents.ts'

/** Milliseconds after the last change of a window before the server is asked. */
const settleMs = 60

/** What files look like, by the server that shows them to the model. A window is center/width; undefined takes the file's own. */
export function useView(files: readonly File[]) {
  const [view, setView] = useState<ViewDocument>()
  const [window, setWindow] = useState<string>()
  const [failure, setFailure] = useState<unknown>()
  useEffect(() => {
    setView(undefined)
    setWindow(undefined)
    setFailure(undefined)
  }, [files])
  useEffect(() => {
    if (files.length === 0) return undefined
    const controller = new AbortController()
    const timer = setTimeout(
      () => {
        postForm<ViewDocument>('/v1/view', viewForm(files, window), controller.signal).then(
          setView,
          (thrown: unknown) => {
            if (!controller.signal.aborted) setFailure(thrown)
          },
        )
      },
      window === undefined ? 0 : settleMs,
    )
    return () => {
      clearTimeout(timer)
      controller.abort()
    }
  }, [files, window])
  return { view, window, setWindow, failure }
}

function viewForm(files: readonly File[], window: string | undefined): FormData {
  const form = new FormData()
  if (window !== undefined) form.append('window', window)
  for (const file of files) form.append('file', file, file.name)
  return form
}
