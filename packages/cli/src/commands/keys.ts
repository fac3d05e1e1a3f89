import type { ApiKey, Scope } from '@qoq-med/server'
import { defineCommand, defineGroup } from '../command.ts'
import { cliErrors } from '../errors.ts'
import { keyFileArgument, keyFilePath } from '../serving/key-file-path.ts'
import { textTable } from '../text-table.ts'

/** `qoq keys add`: a new key, shown once. */
const addCommand = defineCommand({
  meta: {
    name: 'add',
    description: 'Make a key for the server. It is shown once; only its hash is kept.',
    examples: [
      'qoq keys add --name viewer --scope chat --scope diagnose',
      'qoq keys add --name trainer --scope rewards --rate 600',
    ],
  },
  args: {
    name: { type: 'string', value: 'NAME', required: true, description: 'who uses the key' },
    scope: {
      type: 'strings',
      value: 'SCOPE',
      description: 'what it may do: chat, diagnose, rewards or metrics; may be repeated; all of them by default',
    },
    rate: { type: 'number', value: 'N', min: 1, description: 'requests that it may send in a minute' },
    keys: keyFileArgument,
  },
  run: async ({ args: { name, scope, rate, keys }, input, output }) => {
    const { addKey, scopes } = await import('@qoq-med/server')
    const wanted = scope.map(one => requireScope(one, scopes))
    const file = keyFilePath(keys, input)
    const { key, kept } = await addKey(file, {
      name,
      scopes: wanted.length > 0 ? wanted : scopes,
      requestsPerMinute: rate,
      createdAt: new Date(),
    })
    output.result({ key, ...shown(kept), file }, () =>
      [key, `Key ${kept.id} for ${name}: ${kept.scopes.join(', ')}. It is shown this once.`].join('\n'),
    )
  },
})

/** `qoq keys list`: the keys, without what would let one use them. */
const listCommand = defineCommand({
  meta: { name: 'list', description: 'List the keys of the server.', examples: ['qoq keys list'] },
  args: { keys: keyFileArgument },
  run: async ({ args: { keys }, input, output }) => {
    const { readKeys } = await import('@qoq-med/server')
    const file = keyFilePath(keys, input)
    const kept = (await readKeys(file)).map(shown)
    output.result({ file, keys: kept }, () => {
      if (kept.length === 0) return `No keys in ${file}; make one with qoq keys add.`
      const rows = kept.map(key => [
        key.id,
        key.name,
        key.scopes.join(', '),
        key.requestsPerMinute === undefined ? 'no limit' : `${key.requestsPerMinute} a minute`,
        key.createdAt,
      ])
      return textTable([['id', 'name', 'may', 'requests', 'made'], ...rows])
    })
  },
})

/** `qoq keys revoke`: a key ends. */
const revokeCommand = defineCommand({
  meta: {
    name: 'revoke',
    description: 'End a key; servers that run refuse it from now on.',
    examples: ['qoq keys revoke 1a2b3c4d'],
  },
  args: {
    id: { type: 'positional', required: true, description: 'id of the key, as qoq keys list shows it' },
    keys: keyFileArgument,
  },
  run: async ({ args: { id, keys }, input, output }) => {
    const { revokeKey } = await import('@qoq-med/server')
    const revoked = shown(await revokeKey(keyFilePath(keys, input), id))
    output.result({ revoked }, () => `Revoked key ${revoked.id} of ${revoked.name}.`)
  },
})

/** `qoq keys`: who may ask a server. */
export const keysGroup = defineGroup({ name: 'keys', description: 'Make, list and end keys of the server.' }, [
  addCommand,
  listCommand,
  revokeCommand,
])

function shown({ id, name, scopes, requestsPerMinute, createdAt }: ApiKey): Omit<ApiKey, 'hash'> {
  return { id, name, scopes, ...(requestsPerMinute !== undefined && { requestsPerMinute }), createdAt }
}

function requireScope(text: string, known: readonly Scope[]): Scope {
  const scope = known.find(one => one === text)
  if (scope === undefined)
    throw cliErrors.VALUE_INVALID({ name: '--scope', value: text, expected: `one of ${known.join(', ')}`, known })
  return scope
}
