import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { z } from 'zod'
import { jsonOrNothing } from '../run/json-or-nothing.ts'

/** Prints versions as JSON; a package that is not there is null. Its arguments are the packages. */
export const versionScript = [
  'import importlib.metadata as m, json, platform, sys',
  'def v(n):',
  '  try: return m.version(n)',
  '  except m.PackageNotFoundError: return None',
  'print(json.dumps({"python": platform.python_version(), **{n: v(n) for n in sys.argv[1:]}}))',
].join('\n')

const Versions = z.record(z.string(), z.union([z.string(), z.number()]).nullable())

/** Reads the line that `versionScript` prints. */
export function readVersions(text: string): z.output<typeof Versions> | undefined {
  return Versions.safeParse(jsonOrNothing(text.trim().split('\n').at(-1) ?? '')).data
}

/** Versions of Python packages by name; all null where the interpreter does not start. */
export async function installedVersions(
  python: string,
  packages: readonly string[],
): Promise<Readonly<Record<string, string | number | null>>> {
  const none = Object.fromEntries(['python', ...packages].map(name => [name, null]))
  try {
    const { stdout } = await promisify(execFile)(python, ['-c', versionScript, ...packages], { timeout: 60_000 })
    return { ...none, ...readVersions(stdout) }
  } catch {
    return none
  }
}
