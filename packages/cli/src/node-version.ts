/** The oldest Node that the packages run on, as in their `engines`. */
const least = { major: 22, minor: 18 } as const

/**
 * Says what to do where Node is too old, or nothing where it is not.
 *
 * @param version such as `20.20.2`
 */
export function nodeTooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > least.major || (major === least.major && minor >= least.minor)) return undefined
  return [
    `qoq needs Node ${least.major}.${least.minor} or later, and this is Node ${version}.`,
    'Start it with a newer one, for example: npx -y -p node@24 node path/to/qoq/dist/bin.js …',
  ].join('\n')
}
