import { createHash, type Hash } from 'node:crypto'
import { domains, type Domain, type Sample, type Split } from './sample.ts'

/** What is known of every row of a source without making its sample: enough to filter, weigh and balance by. */
export interface RowFacts {
  readonly dataset: string
  readonly split: Split
  readonly domain: Domain
  /** The true labels. */
  readonly answer: readonly string[]
}

/** What of a sample is noted and hashed. */
export type NotedSample = Pick<Sample, 'id' | 'dataset' | 'split' | 'domain' | 'answer' | 'question'>

const splits = ['train', 'valid', 'test'] as const satisfies readonly Split[]

/** Facts of rows in the order of the source, in six bytes a row; texts are kept once. */
export class FactTable {
  #codes = new Uint8Array(1024)
  #names = new Uint32Array(1024)
  readonly #texts: [dataset: string, answer: readonly string[]][] = []
  readonly #textOf = new Map<string, number>()
  readonly #hash: Hash = createHash('sha256')
  #length = 0

  /** The facts of samples that are at hand. */
  static of(samples: Iterable<NotedSample>): FactTable {
    const table = new FactTable()
    for (const sample of samples) table.add(sample)
    return table
  }

  get length(): number {
    return this.#length
  }

  /** SHA-256 over ids, splits, answers and questions, in the order of the rows. */
  get fingerprint(): string {
    return this.#hash.copy().digest('hex')
  }

  /** Notes the next row. */
  add({ id, dataset, split, domain, answer, question }: NotedSample): void {
    this.#hash.update(JSON.stringify([id, split, answer, question]))
    if (this.#length === this.#codes.length) {
      this.#codes = grown(this.#codes, new Uint8Array(2 * this.#length))
      this.#names = grown(this.#names, new Uint32Array(2 * this.#length))
    }
    this.#codes[this.#length] = splits.indexOf(split) * domains.length + domains.indexOf(domain)
    this.#names[this.#length] = this.#textIndex(dataset, answer)
    this.#length++
  }

  /** The facts of a row; it must be one of the table. */
  at(row: number): RowFacts {
    const code = this.#codes[row]!
    const [dataset, answer] = this.#texts[this.#names[row]!]!
    const split = splits[Math.floor(code / domains.length)]!
    return { dataset, split, domain: domains[code % domains.length]!, answer }
  }

  #textIndex(dataset: string, answer: readonly string[]): number {
    const key = JSON.stringify([dataset, answer])
    const known = this.#textOf.get(key) ?? this.#texts.push([dataset, answer]) - 1
    this.#textOf.set(key, known)
    return known
  }
}

function grown<Values extends Uint8Array | Uint32Array>(values: Values, larger: Values): Values {
  larger.set(values)
  return larger
}
