import { z } from 'zod'
import { dataErrors } from '../errors.ts'
import type { Checksum } from './fetch-file.ts'
import { plainUrl } from './http-request.ts'
import { encodedPath, jsonOf, textOf, type JsonRequest } from './json-request.ts'
import type { DownloadSource, FileHost } from '../dataset/download-source.ts'

/** A file of a source: where it is, and its path below the root. */
export interface ListedFile {
  readonly url: string
  readonly path: string
  /** Its size, where the source says it. */
  readonly bytes?: number
  /** About its size, where the source says only how much it holds. */
  readonly aboutBytes?: number
  readonly checksum?: Checksum
  /** How it is unpacked after it came; its folder is the root. */
  readonly archive?: 'zip' | 'tar.gz'
  /** Leading folders of the archive that are left out. */
  readonly strip?: number
}

/** Where the hosts are; a test names a server of its own. */
export type Hosts = Readonly<Record<ListedSource['type'] | FileHost, string>>

/** The hosts as they are. */
export const publicHosts: Hosts = {
  physionet: 'https://physionet.org',
  kaggle: 'https://www.kaggle.com',
  'kaggle-competition': 'https://www.kaggle.com',
  github: 'https://codeload.github.com',
  zenodo: 'https://zenodo.org',
  huggingface: 'https://huggingface.co',
  tcia: 'https://services.cancerimagingarchive.net',
  'tcia-pages': 'https://www.cancerimagingarchive.net',
  'kits-imaging': 'https://kits19.sfo2.digitaloceanspaces.com',
}

/** What a listing is asked with. */
export interface ListingRequest extends JsonRequest {
  readonly hosts: Hosts
}

/** A source that a program can list. */
export type ListedSource = Exclude<DownloadSource, { readonly type: 'manual' }>

type Listing<Source> = (source: Source, host: string, request: ListingRequest) => Promise<ListedFile[]>

const listings: {
  readonly [Type in ListedSource['type']]: Listing<Extract<ListedSource, { readonly type: Type }>>
} = {
  physionet: physionetFiles,
  kaggle: async ({ dataset }, host) => [zipOf(`${host}/api/v1/datasets/download/${dataset}`, dataset)],
  'kaggle-competition': async ({ competition }, host) => [
    zipOf(`${host}/api/v1/competitions/data/download-all/${competition}`, competition),
  ],
  github: async ({ repository, ref }, host) => [
    {
      url: `${host}/${repository}/tar.gz/${ref}`,
      path: `${lastPart(repository)}.tar.gz`,
      archive: 'tar.gz',
      strip: 1,
    },
  ],
  zenodo: ({ record }, host, request) => zenodoFiles(`${host}/api/records/${record}`, request),
  huggingface: (source, host, request) => huggingFaceFiles(host, source, request),
  tcia: ({ collection }, host, request) => tciaFiles(`${host}/nbia-api/services/v1`, collection, request),
}

/**
 * Lists the files of a source.
 *
 * @throws DATA_LISTING_INVALID, DATA_DOWNLOAD_DENIED, DATA_DOWNLOAD_FAILED
 */
export async function listFiles(source: ListedSource, request: ListingRequest): Promise<ListedFile[]> {
  const list = listings[source.type] as Listing<ListedSource> // the row of its own type
  const files = await list(source, request.hosts[source.type], request)
  return [...files, ...filesElsewhere(source, request.hosts)]
}

function filesElsewhere({ alsoFrom }: ListedSource, hosts: Hosts): ListedFile[] {
  if (!alsoFrom) return []
  return Object.entries(alsoFrom.files).map(([path, at]) => ({ path, url: `${hosts[alsoFrom.host]}${at}` }))
}

function zipOf(url: string, name: string): ListedFile {
  return { url, path: `${lastPart(name)}.zip`, archive: 'zip' }
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

/** PhysioNet lists every file with its SHA-256: two columns, the second may hold blanks. */
async function physionetFiles(
  { project, version, folder = '', only = [''] }: Extract<DownloadSource, { readonly type: 'physionet' }>,
  host: string,
  request: ListingRequest,
): Promise<ListedFile[]> {
  const base = `${host}/files/${project}/${version}/`
  const url = `${base}SHA256SUMS.txt`
  const lines = (await textOf(url, request)).text.split('\n').filter(line => line.trim() !== '')
  const files = lines.map((line, i): ListedFile => {
    const [, hex, path] = /^([0-9a-f]{64})\s+\*?(.+?)\s*$/i.exec(line) ?? []
    if (hex === undefined || path === undefined)
      throw dataErrors.LISTING_INVALID({ url: plainUrl(url), problem: `line ${i + 1} is no checksum with a file` })
    return { url: base + encodedPath(path), path, checksum: { algorithm: 'sha256', hex } }
  })
  const wanted = files.filter(
    ({ path }) => path.startsWith(folder) && only.some(start => path.startsWith(folder + start)),
  )
  if (wanted.length === 0)
    throw dataErrors.LISTING_INVALID({
      url: plainUrl(url),
      problem: `it names no file of ${folder || only.join(', ')}`,
    })
  return wanted.map(file => ({ ...file, path: file.path.slice(folder.length) }))
}

const ZenodoRecord = z.object({
  files: z.array(
    z.object({ key: z.string(), size: z.number(), checksum: z.string(), links: z.object({ self: z.string() }) }),
  ),
})

async function zenodoFiles(url: string, request: ListingRequest): Promise<ListedFile[]> {
  const { files } = (await jsonOf(url, ZenodoRecord, request)).value
  const bad = files.findIndex(({ links }) => !isFileUrl(links.self, url))
  if (bad >= 0)
    throw dataErrors.LISTING_INVALID({ url: plainUrl(url), problem: `file ${bad + 1} has no link that can be fetched` })
  return files.map(({ key, size, checksum, links }) => {
    const [, algorithm, hex = ''] = /^(md5|sha256):([0-9a-f]+)$/.exec(checksum) ?? []
    const archive = /\.zip$/i.test(key) ? 'zip' : /\.(tar\.gz|tgz)$/i.test(key) ? 'tar.gz' : undefined
    return {
      url: links.self,
      path: key,
      bytes: size,
      ...(algorithm !== undefined && { checksum: { algorithm: algorithm === 'md5' ? 'md5' : 'sha256', hex } }),
      ...(archive && { archive }),
    }
  })
}

/** A link to fetch: https, or http where the listing itself came so. */
function isFileUrl(link: string, listing: string): boolean {
  const { protocol } = URL.parse(link) ?? {}
  return protocol === 'https:' || (protocol === 'http:' && listing.startsWith('http:'))
}

const HuggingFaceTree = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    size: z.number().optional(),
    lfs: z.object({ oid: z.string() }).optional(),
  }),
)

async function huggingFaceFiles(
  host: string,
  { repository, revision }: Extract<DownloadSource, { readonly type: 'huggingface' }>,
  request: ListingRequest,
): Promise<ListedFile[]> {
  const { value: tree } = await jsonOf(
    `${host}/api/datasets/${repository}/tree/${revision}?recursive=true`,
    HuggingFaceTree,
    request,
  )
  return tree
    .filter(({ type }) => type === 'file')
    .map(({ path, size, lfs }) => ({
      url: `${host}/datasets/${repository}/resolve/${revision}/${encodedPath(path)}`,
      path,
      ...(size !== undefined && { bytes: size }),
      ...(lfs && { checksum: { algorithm: 'sha256', hex: lfs.oid } }),
    }))
}

const uid = z.string().regex(/^[\d.]+$/)
const TciaSeries = z.array(
  z.object({
    SeriesInstanceUID: uid,
    StudyInstanceUID: uid.optional(),
    PatientID: z.string().optional(),
    FileSize: z.number().optional(),
  }),
)

/** TCIA gives a series as a zip of DICOM files, which are put where its own program puts them: by subject, study, series. */
async function tciaFiles(base: string, collection: string, request: ListingRequest): Promise<ListedFile[]> {
  const url = `${base}/getSeries?Collection=${encodeURIComponent(collection)}`
  const { value: series } = await jsonOf(url, TciaSeries, request)
  return series.map(({ SeriesInstanceUID: id, StudyInstanceUID: study, PatientID: subject, FileSize: aboutBytes }) => {
    const isPlain = subject !== undefined && study !== undefined && /^\w[\w.-]*$/.test(subject)
    const folder = isPlain ? `${collection}/${subject}/${study}/${id}` : `${collection}/${id}`
    return {
      url: `${base}/getImage?SeriesInstanceUID=${id}`,
      path: `${folder}/${id}.zip`,
      archive: 'zip',
      ...(aboutBytes !== undefined && { aboutBytes }),
    }
  })
}
