import { schemaProblem } from '@qoq-med/errors'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { z } from 'zod'
import type { CommandLineIo, TextSource } from './command-line-io.ts'
import { cliErrors } from './errors.ts'

/** How a command listens: standard input and files, with errors that say where the fault is. */
export interface CommandInput {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Makes a path absolute, from the folder the command runs in. */
  resolve(file: string): string
  /**
   * Reads one JSON document from standard input.
   *
   * @throws CLI_INPUT_EMPTY, CLI_INPUT_NOT_JSON, CLI_INPUT_INVALID, CLI_INPUT_TOO_LARGE
   */
  readJson<Schema extends z.ZodType>(schema: Schema, what: string): Promise<z.output<Schema>>
  /**
   * Reads JSON lines from standard input; all are checked before the first is used. Empty lines are passed over.
   *
   * @throws CLI_INPUT_EMPTY, CLI_INPUT_NOT_JSON, CLI_INPUT_INVALID, CLI_INPUT_TOO_LARGE
   */
  readJsonLines<Schema extends z.ZodType>(schema: Schema, what: string): Promise<z.output<Schema>[]>
  /**
   * Reads a JSON file.
   *
   * @param what what the file is, for errors: "label list"
   * @throws CLI_FILE_MISSING, CLI_FILE_UNREADABLE, CLI_INPUT_NOT_JSON, CLI_INPUT_INVALID
   */
  readJsonFile<Schema extends z.ZodType>(file: string, schema: Schema, what: string): Promise<z.output<Schema>>
}

/** Bytes of one JSON text: V8's strings end a little above. */
const maxTextBytes = 500_000_000

/** Makes the input of one run. */
export function createInput({ stdin, env, cwd }: Pick<CommandLineIo, 'stdin' | 'env' | 'cwd'>): CommandInput {
  const resolve = (file: string): string => path.resolve(cwd, file)
  return {
    env,
    resolve,
    readJson: async (schema, what) => {
      const text = await readText(stdin, what)
      return checkValue(parseJson(text, 'Standard input'), schema, 'Standard input')
    },
    readJsonLines: async (schema, what) => {
      const text = await readText(stdin, what)
      return text.split('\n').flatMap((line, index) => {
        if (line.trim() === '') return []
        const where = `Line ${index + 1} of standard input`
        return [checkValue(parseJson(line, where), schema, where)]
      })
    },
    readJsonFile: async (file, schema, what) => {
      const text = withoutMark((await readInputFile(resolve(file), what)).toString('utf8'))
      const where = `The ${what} ${file}`
      return checkValue(parseJson(text, where), schema, where)
    },
  }
}

/**
 * Reads a file the user named.
 *
 * @throws CLI_FILE_MISSING, CLI_FILE_UNREADABLE
 */
export async function readInputFile(file: string, what: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw fileError(cause, file, what)
  }
}

/** Turns a failure of the file system into an error that names the file. */
export function fileError(cause: unknown, file: string, what: string): Error {
  const code = systemCode(cause)
  if (code === 'ENOENT' || code === 'ENOTDIR') return cliErrors.FILE_MISSING({ path: file, what }, { cause })
  return cliErrors.FILE_UNREADABLE({ path: file, what, reason: code ?? 'unknown reason' }, { cause })
}

/** The code of a Node.js system error, such as ENOENT. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/**
 * Parses a JSON text.
 *
 * @throws CLI_INPUT_NOT_JSON
 */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw cliErrors.INPUT_NOT_JSON({ where, problem: jsonProblem(String(cause)) })
  }
}

/** V8's message quotes the text, which may hold patient data: only the place or the character is kept. */
function jsonProblem(message: string): string {
  const position = /position (\d+)/.exec(message)?.[1]
  if (position !== undefined) return `position ${position} holds something unexpected`
  const token = /Unexpected token '(.)'/u.exec(message)?.[1]
  return token === undefined ? 'it ends too early' : `the character ${token} is unexpected`
}

/**
 * Checks a value against a schema.
 *
 * @throws CLI_INPUT_INVALID with the first field that does not fit
 */
export function checkValue<Schema extends z.ZodType>(value: unknown, schema: Schema, where: string): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const field = issue?.path.map(String).join('.') ?? ''
  throw cliErrors.INPUT_INVALID({ where, field, problem: schemaProblem(issue, valueAt(value, issue?.path)) })
}

/** What stands at a path. */
function valueAt(value: unknown, keys: readonly PropertyKey[] = []): unknown {
  return keys.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (Reflect.get(at, key) as unknown) : undefined),
    value,
  )
}

async function readText(stdin: TextSource, what: string): Promise<string> {
  if (stdin.isTTY === true) throw cliErrors.INPUT_EMPTY({ what })
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stdin) {
    const part = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    bytes += part.byteLength
    if (bytes > maxTextBytes) throw cliErrors.INPUT_TOO_LARGE({ where: 'Standard input', limitBytes: maxTextBytes })
    chunks.push(part)
  }
  const text = withoutMark(Buffer.concat(chunks).toString('utf8'))
  if (text.trim() === '') throw cliErrors.INPUT_EMPTY({ what })
  return text
}

/** Drops the byte order mark that some editors and tables put first. */
function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}
