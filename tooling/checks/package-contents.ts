// Fails where a package's README links to what its tarball does not hold, or its package.json names an address that nobody has.
import { existsSync, readFileSync } from 'node:fs'
import { join, posix, resolve } from 'node:path'
import { packageFolders, report } from './workspace.ts'

/** What npm packs whatever `files` says. */
const alwaysPacked = ['README.md', 'LICENSE', 'package.json', 'CHANGELOG.md']
/** Hosts of documentation and tests (RFC 2606, RFC 6761), and this machine. */
const noHost = /\.(invalid|example|test|localhost)$|^localhost$|^example\.(com|org|net)$/

/** Problems of one package. */
export function packageProblems(folder: string): string[] {
  const json: { name: string; files?: string[]; repository?: { url?: string }; homepage?: string } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  )
  const packed = [...(json.files ?? []).filter(entry => !entry.startsWith('!')), ...alwaysPacked]
  const readme = readFileSync(join(folder, 'README.md'), 'utf8')
  const links = [...readme.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  const lost = links.filter(target => !/^(https?:|mailto:|#)/.test(target) && !isPacked(folder, target, packed))
  const addresses = [json.repository?.url, json.homepage].flatMap(url => url ?? [])
  const nowhere = addresses.filter(url => noHost.test(URL.parse(url.replace(/^git\+/, ''))?.hostname ?? 'localhost'))
  return [
    ...lost.map(target => `The README of ${json.name} links to ${target}, which its tarball does not hold.`),
    ...nowhere.map(url => `The package.json of ${json.name} names ${url}, an address that nobody has.`),
  ]
}

function isPacked(folder: string, target: string, packed: readonly string[]): boolean {
  const path = posix.normalize(target.split('#', 1)[0] ?? '')
  const isListed = packed.some(entry => path === entry || path.startsWith(`${entry}/`))
  return isListed && existsSync(join(folder, path))
}

if (import.meta.main) {
  const problems = packageFolders(resolve(process.cwd())).flatMap(packageProblems)
  report(problems, 'Every README links to what its package holds, and every address is one.')
}
