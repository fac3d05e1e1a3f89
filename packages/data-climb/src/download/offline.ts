/** What the system says where no server is reached at all. */
const codes: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** The code of an error that says that no server was reached; nothing for another error. */
export function offlineCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string' && codes.has(error.code)) return error.code
  const [first] = error instanceof AggregateError ? error.errors : []
  return offlineCode(first ?? error.cause)
}
