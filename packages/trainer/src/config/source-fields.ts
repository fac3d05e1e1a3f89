import { z } from 'zod'

/** A source of a configuration: a dataset's folder, an index that `qoq data build` wrote, or a public JSONL. */
export const SourceSchema = z
  .strictObject({
    /** Id of a dataset. */
    dataset: z.string().optional(),
    /** An index, or its shards in their order; relative to the configuration file. */
    index: z.union([z.string(), z.array(z.string()).nonempty()]).optional(),
    /** A public JSONL; relative to the configuration file. */
    jsonl: z.string().optional(),
    /**
     * Where the dataset was unpacked, or where that of an index lies; of a JSONL the folder that its paths must not leave, by default its
     * own. Relative to the configuration file.
     */
    root: z.string().optional(),
    /** Stops at a row that cannot be used, or leaves it out. */
    onError: z.enum(['throw', 'skip']).default('throw'),
    /** Whose boxes count where several readers drew some: most of them (the default), or the first. */
    boxReaders: z.enum(['majority', 'one']).optional(),
    /** Its share of the draws relative to the other sources, whatever its size. */
    weight: z.number().positive().optional(),
    /** Draws evenly from its domains, or from its labels, where a sample counts for the rarest of its own. */
    balanced: z.enum(['domain', 'label']).optional(),
    /** Only samples of this part; of a JSONL, whose lines have none, the part that they are (default train). */
    split: z.enum(['train', 'valid', 'test']).optional(),
    /** At most this many samples, drawn by the run's seed. */
    limit: z.int().positive().optional(),
  })
  .superRefine(({ dataset, index, jsonl, root, boxReaders }, issues) => {
    const add = (field: string, message: string): void => issues.addIssue({ code: 'custom', message, path: [field] })
    const kinds = [dataset, index, jsonl].filter(kind => kind !== undefined)
    if (kinds.length !== 1) add('dataset', 'give one of dataset, index and jsonl')
    else if (jsonl === undefined && root === undefined) add('root', 'it is missing: the folder of the data')
    if (boxReaders !== undefined && dataset === undefined) add('boxReaders', 'only a dataset is read for it')
  })

/** A checked source. */
export type Source = z.output<typeof SourceSchema>
