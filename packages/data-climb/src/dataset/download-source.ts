/** Where a dataset can be had: what a downloader needs to know, as data. */
export type DownloadSource = SourceType & {
  /** Files that lie at another host than the source: where, and their paths below the root. */
  readonly alsoFrom?: { readonly host: FileHost; readonly files: Readonly<Record<string, string>> }
}

/** A host that gives single files. */
export type FileHost = 'tcia-pages' | 'kits-imaging'

type SourceType =
  | {
      readonly type: 'physionet'
      readonly project: string
      readonly version: string
      readonly isCredentialed?: true
      /** The folder of the project that is the dataset; it becomes the root. */
      readonly folder?: string
      /** Files of the project that are needed, by their beginnings; all where it is missing. */
      readonly only?: readonly string[]
    }
  | { readonly type: 'kaggle'; readonly dataset: string }
  | { readonly type: 'kaggle-competition'; readonly competition: string }
  | { readonly type: 'github'; readonly repository: string; readonly ref: string }
  | { readonly type: 'zenodo'; readonly record: string }
  | { readonly type: 'huggingface'; readonly repository: string; readonly revision: string }
  | { readonly type: 'tcia'; readonly collection: string }
  | { readonly type: 'manual'; readonly how: string }
