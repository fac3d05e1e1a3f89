import { requireAtMost, type ServerLimits } from '../limits.ts'
import type { SentFile } from '../media/decoded-media.ts'
import type { DiagnoseRequest } from './diagnose-request.ts'

/** Finds the files of a JSON body: base64, or data URLs. @throws SERVER_LIMIT_EXCEEDED */
export function requestFiles({ files }: DiagnoseRequest, limits: ServerLimits): SentFile[] {
  return (files ?? []).map(({ name, data }, at) => {
    requireAtMost(limits.fileCharacters, data.length, 'characters of a file')
    const url = /^[a-z]+:/i.test(data) ? data : `data:;base64,${data}`
    return { place: `files.${at}`, name: name ?? 'file', url, field: `files.${at}.data` }
  })
}
