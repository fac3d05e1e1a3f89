import { z } from 'zod'
import type { Checksum } from '../download/fetch-file.ts'
import { plainUrl } from '../download/http-request.ts'
import { encodedPath, jsonOf, type JsonRequest } from '../download/json-request.ts'
import { dataErrors } from '../errors.ts'
import type { RepositoryName } from './repository-name.ts'

/** A file of a repository. */
export interface RepositoryFile {
  /** Its path in the repository, `/`-separated. */
  readonly path: string
  readonly bytes: number
  readonly url: string
  readonly checksum: Checksum
}

/** What a repository holds at one commit. */
export interface RepositoryListing {
  readonly commit: string
  readonly files: readonly RepositoryFile[]
}

/** Where and how a repository is asked. */
export interface RepositoryRequest extends JsonRequest {
  /** Such as https://huggingface.co. */
  readonly host: string
}

const Commit = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) })

const Tree = z.array(
  z.object({
    type: z.string(),
    path: z.string().min(1).max(1000),
    size: z.int().nonnegative(),
    oid: z.string().regex(/^[0-9a-f]{40}$/),
    lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().nonnegative() }).optional(),
  }),
)

/** A repository of more pages than this, 1,000 files each, is none of a model. */
const maxPages = 50

/**
 * Lists a repository at a revision, with a checksum of every file: of large ones the SHA-256, of others the name that Git has for them.
 *
 * @throws DATA_REPOSITORY_UNKNOWN, DATA_DOWNLOAD_DENIED, DATA_DOWNLOAD_FAILED, DATA_OFFLINE, DATA_LISTING_INVALID
 */
export async function listRepository(
  { repository, revision }: RepositoryName,
  { host, ...request }: RepositoryRequest,
): Promise<RepositoryListing> {
  const api = `${host}/api/models/${repository}`
  const unknown = (): Error => dataErrors.REPOSITORY_UNKNOWN({ repository, revision, host })
  const { value } = await jsonOf(`${api}/revision/${encodeURIComponent(revision)}`, Commit, { ...request, unknown })
  const commit = value.sha
  const files: RepositoryFile[] = []
  let next: string | undefined = `${api}/tree/${commit}?recursive=true&limit=1000`
  for (let page = 0; next !== undefined; page++) {
    if (page === maxPages) throw dataErrors.LISTING_INVALID({ url: plainUrl(next), problem: 'it has no end' })
    const tree: JsonPage<typeof Tree> = await jsonOf(next, Tree, { ...request, unknown })
    for (const { type, path, size, oid, lfs } of tree.value) {
      if (type !== 'file') continue
      const url = `${host}/${repository}/resolve/${commit}/${encodedPath(path)}`
      const checksum: Checksum = lfs ? { algorithm: 'sha256', hex: lfs.oid } : { algorithm: 'git', hex: oid }
      files.push({ path, bytes: lfs?.size ?? size, url, checksum })
    }
    next = nextPage(tree.header('link'), next)
  }
  return { commit, files }
}

type JsonPage<Schema extends z.ZodType> = Awaited<ReturnType<typeof jsonOf<Schema>>>

/** The next page, of the same server alone: the request may carry a token. */
function nextPage(link: string | undefined, here: string): string | undefined {
  const target = /<([^>]+)>\s*;\s*rel="next"/.exec(link ?? '')?.[1]
  if (target === undefined) return undefined
  const url = URL.parse(target, here)
  if (url?.origin === new URL(here).origin) return url.href
  throw dataErrors.LISTING_INVALID({ url: plainUrl(here), problem: 'it goes on at another server' })
}
