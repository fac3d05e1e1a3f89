import { useEffect, useState } from 'preact/hooks'
import { getJson } from './server-api.ts'

/** Names that the server lists at an address, and the one that is looked at: the first, until another is chosen. */
export function useNamed(url: string) {
  const [names, setNames] = useState<readonly string[]>()
  const [name, setName] = useState<string>()
  const [failure, setFailure] = useState<unknown>()
  const listed = ({ data }: { readonly data: readonly string[] }): void => {
    setNames(data)
    setName(current => current ?? data[0])
  }
  const reload = (): void => {
    getJson<{ data: readonly string[] }>(url).then(listed, setFailure)
  }
  useEffect(reload, [url])
  return { names, name, setName, failure, reload }
}
