import { writeWhole } from '@qoq-med/whole-file'
import type { SampleRecord } from './sample-log.ts'

/** Writes records as a Parquet table, a row each; lists are JSON texts. The file is replaced as a whole. */
export async function writeSampleTable(file: string, records: readonly SampleRecord[]): Promise<void> {
  const { parquetWriteBuffer } = await import('hyparquet-writer')
  const texts = (name: string, value: (record: SampleRecord) => string) =>
    ({ name, data: records.map(value), type: 'STRING' }) as const
  const numbers = (name: string, value: (record: SampleRecord) => number | undefined) =>
    ({ name, data: records.map(record => value(record) ?? null), type: 'DOUBLE', nullable: true }) as const
  const table = parquetWriteBuffer({
    columnData: [
      texts('sample', ({ sampleId }) => sampleId),
      texts('dataset', ({ dataset }) => dataset),
      texts('domain', ({ domain }) => domain),
      texts('patient', ({ patient }) => patient),
      texts('question', ({ question }) => question),
      texts('response', ({ response }) => response),
      texts('finish', ({ finish }) => finish),
      texts('truth', ({ truth }) => JSON.stringify(truth)),
      texts('predicted', ({ predicted }) => JSON.stringify(predicted)),
      texts('boxes', ({ boxes }) => JSON.stringify(boxes)),
      texts('problems', ({ problems }) => JSON.stringify(problems)),
      texts('probabilities', ({ probabilities }) => JSON.stringify(probabilities ?? null)),
      numbers('tokens', ({ tokens }) => tokens),
      numbers('iou', ({ iou }) => iou),
      numbers('seconds', ({ seconds }) => seconds),
    ],
  })
  await writeWhole(file, new Uint8Array(table))
}
