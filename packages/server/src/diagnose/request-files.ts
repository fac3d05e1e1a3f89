import { requireAtMost, type ServerLimits } from '../limits.ts'
import type { SentFile } from '../media/decoded-media.ts'
import { longTextsOf } from '../media/long-texts.ts'
import type { DiagnoseRequest } from './diagnose-request.ts'

/** So many characters tell a data URL, or any other, from base64. */
const schemeCharacters = 32

/** Finds the files of a JSON body: base64, or data URLs. @throws SERVER_LIMIT_EXCEEDED */
export function requestFiles(body: DiagnoseRequest, limits: ServerLimits): SentFile[] {
  const texts = longTextsOf(body)
  return (body.files ?? []).map(({ name, data: short }, at) => {
    const field = `files.${at}.data`
    const data = texts.get(field) ?? short
    requireAtMost(limits.fileCharacters, data.length, 'characters of a file')
    const start = Buffer.from(data.slice(0, schemeCharacters)).toString()
    return { place: `files.${at}`, name: name ?? 'file', url: data, isBase64: !/^[a-z]+:/i.test(start), field }
  })
}
