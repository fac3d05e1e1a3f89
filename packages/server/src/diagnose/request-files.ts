import { dataUrlBytes } from '../media/data-url.ts'
import { requireAtMost, type ServerLimits } from '../limits.ts'
import type { MediaFile } from '../media/decoded-media.ts'
import type { DiagnoseRequest } from './diagnose-request.ts'

/** Takes the files out of a JSON body: base64, or data URLs. @throws SERVER_DATA_URL_INVALID, SERVER_LIMIT_EXCEEDED */
export function requestFiles({ files }: DiagnoseRequest, limits: ServerLimits): MediaFile[] {
  return (files ?? []).map(({ name, data }, at) => {
    requireAtMost(limits.fileCharacters, data.length, 'characters of a file')
    const url = /^[a-z]+:/i.test(data) ? data : `data:;base64,${data}`
    return { place: `files.${at}`, name: name ?? 'file', bytes: dataUrlBytes(url, `files.${at}.data`) }
  })
}
