import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { writeWhole } from '@qoq-med/whole-file'
import { z } from 'zod'
import { serverErrors } from '../errors.ts'
import { ApiKey, createApiKey, matchingKey, type KeyRing, type NewKey } from './api-keys.ts'

const KeyFile = z.strictObject({ version: z.literal(1), keys: z.array(ApiKey) })

/** Reads the keys of a file; there are none where there is no file. @throws SERVER_KEY_FILE */
export async function readKeys(file: string): Promise<readonly ApiKey[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw serverErrors.KEY_FILE({ problem: `cannot be read (${error.code ?? 'unknown reason'})` })
  })
  if (text === undefined) return []
  const parsed = KeyFile.safeParse(jsonOf(text))
  if (!parsed.success) throw serverErrors.KEY_FILE({ problem: 'is no list of keys' })
  return parsed.data.keys
}

/**
 * Adds a key to a file, which only its owner may read.
 *
 * @returns the key, which is kept nowhere, and what is kept
 * @throws SERVER_KEY_FILE
 */
export async function addKey(file: string, wanted: NewKey): Promise<ReturnType<typeof createApiKey>> {
  const made = createApiKey(wanted)
  await writeKeys(file, [...(await readKeys(file)), made.kept])
  return made
}

/** Takes a key out of a file; servers that use the file refuse it from their next look at it on. @throws SERVER_KEY_FILE, SERVER_KEY_ID_UNKNOWN */
export async function revokeKey(file: string, id: string): Promise<ApiKey> {
  const keys = await readKeys(file)
  const revoked = keys.find(key => key.id === id)
  if (!revoked) throw serverErrors.KEY_ID_UNKNOWN({ id })
  await writeKeys(
    file,
    keys.filter(key => key !== revoked),
  )
  return revoked
}

/** The keys of a file, read again when it has changed. @throws SERVER_KEY_FILE */
export async function openKeyFile(file: string): Promise<KeyRing> {
  let [keys, seen] = [await readKeys(file), await stampOf(file)]
  return {
    find: async shown => {
      const stamp = await stampOf(file)
      if (stamp !== seen) [keys, seen] = [await readKeys(file), stamp]
      return matchingKey(shown, keys)
    },
  }
}

/** Changes with every write: a file is replaced as a whole. */
async function stampOf(file: string): Promise<string> {
  const stats = await stat(file, { bigint: true }).catch(() => undefined)
  return stats ? `${stats.ino} ${stats.mtimeNs} ${stats.size}` : 'none'
}

async function writeKeys(file: string, keys: readonly ApiKey[]): Promise<void> {
  const text = `${JSON.stringify({ version: 1, keys }, null, 2)}\n`
  await writeWhole(file, async partial => {
    await writeFile(partial, text, { mode: 0o600 })
    await chmod(partial, 0o600) // the mode of a new file is cut by the umask, that of an old one stays
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
