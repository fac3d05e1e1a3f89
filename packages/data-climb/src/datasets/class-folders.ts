import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import type { DatasetRow } from '../dataset/dataset.ts'
import type { Split } from '../sample/sample.ts'

/** Suffixes of pictures in class folders, compared in lower case. */
export const pictureSuffixes = ['.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff'] as const

/**
 * Lists pictures that lie in one folder per class, optionally under one folder per part. File names repeat across
 * folders, so the key is the relative path.
 *
 * @param parts folder of each part to its split; `{ '.': undefined }` where there is only one level
 * @param classes folder of each class to its label
 */
export async function classFolderRows(
  folder: DatasetFolder,
  {
    parts,
    classes,
  }: {
    readonly parts: Readonly<Record<string, Split | undefined>>
    readonly classes: Readonly<Record<string, string>>
  },
): Promise<DatasetRow[]> {
  const rows: DatasetRow[] = []
  for (const [part, split] of Object.entries(parts))
    for (const [name, label] of Object.entries(classes)) {
      const parent = part === '.' ? name : `${part}/${name}`
      for (const picture of await folder.list(parent, pictureSuffixes)) {
        const file = `${parent}/${picture}`
        const media = { type: 'image', files: [file] } as const
        rows.push({ key: file, place: file, patientId: file, labels: [label], media, ...(split && { split }) })
      }
    }
  return rows
}
