import { createHash } from 'node:crypto'
import type { Domain, Sample, Split } from '../sample/sample.ts'
import { drawOrder, type DrawOrder } from './draw-order.ts'
import type { RowFacts } from '../sample/sample-facts.ts'
import type { SampleSource } from '../sample/sample-source.ts'
import { strataOf, type SourceRows, type SourceShare, type Stratum } from './sample-strata.ts'

/** A source of a collection, and its rows that take part. */
export interface CollectedSource extends SourceShare {
  readonly source: SampleSource
  /** Rows of the source. */
  readonly rows: Uint32Array
}

/** Which samples of a collection are meant. */
export interface SampleFilter {
  readonly splits?: readonly Split[] | undefined
  readonly domains?: readonly Domain[] | undefined
}

/** Samples that are read together where all are wanted. */
const readTogether = 256

/** The samples of several sources, one after the other. */
export class SampleCollection {
  readonly #sources: readonly CollectedSource[]
  /** First number of every source among all. */
  readonly #starts: readonly number[]
  readonly length: number

  constructor(sources: readonly CollectedSource[]) {
    this.#sources = sources
    let length = 0
    this.#starts = sources.map(({ rows }) => (length += rows.length) - rows.length)
    this.length = length
  }

  /** Rows that were left out when the sources were opened, by place of the source. */
  get skipped(): readonly number[] {
    return this.#sources.map(({ source }) => source.skipped)
  }

  /** SHA-256 over ids, splits, answers and questions of the sources, and over which of their rows take part. */
  get fingerprint(): string {
    const hash = createHash('sha256')
    for (const { source, rows } of this.#sources) {
      hash.update(source.facts.fingerprint)
      if (rows.length < source.length) hash.update(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength))
    }
    return hash.digest('hex')
  }

  /** The datasets of a source, by its place. */
  datasetsOf(place: number): ReadonlySet<string> {
    const { source, rows } = this.#sources[place] ?? { source: undefined, rows: [] }
    return new Set(Array.from(rows, row => source?.facts.at(row).dataset ?? ''))
  }

  /** All samples in order, some at a time in memory. */
  async *samples(): AsyncGenerator<Sample> {
    for (let first = 0; first < this.length; first += readTogether) {
      const count = Math.min(readTogether, this.length - first)
      yield* await this.read(Array.from({ length: count }, (_, i) => first + i))
    }
  }

  /** What is known of a sample without making it. */
  factsOf(number: number): RowFacts {
    const { source, row } = this.#place(number)
    return source.facts.at(row)
  }

  /** Samples by their numbers, in the order given; each source is asked once. */
  async read(numbers: readonly number[]): Promise<Sample[]> {
    const asked = new Map<SampleSource, { rows: number[]; places: number[] }>()
    for (const [place, number] of numbers.entries()) {
      const { source, row } = this.#place(number)
      const of = asked.get(source) ?? { rows: [], places: [] }
      of.rows.push(row)
      of.places.push(place)
      asked.set(source, of)
    }
    const samples: Sample[] = []
    for (const [source, { rows, places }] of asked)
      for (const [i, sample] of (await source.read(rows)).entries()) samples[places[i]!] = sample // as many as rows
    return samples
  }

  /** The samples that pass a filter; all where it is empty. */
  select({ splits, domains }: SampleFilter = {}): SampleSelection {
    const isMeant = (number: number): boolean => {
      const { split, domain } = this.factsOf(number)
      return (splits?.includes(split) ?? true) && (domains?.includes(domain) ?? true)
    }
    const sources = this.#sources.map(({ rows, weight, balanced }, i) => ({
      rows: Uint32Array.from(rows, (_, at) => this.#starts[i]! + at).filter(isMeant), // a start per source
      ...(weight !== undefined && { weight }),
      ...(balanced && { balanced }),
    }))
    return new SampleSelection(this, sources)
  }

  #place(number: number): { source: SampleSource; row: number } {
    const i = this.#starts.findLastIndex(start => start <= number)
    const { source, rows } = this.#sources[i]! // a number of this collection
    return { source, row: rows[number - this.#starts[i]!]! }
  }
}

/** Samples of a collection that pass a filter, by their place among themselves. */
export class SampleSelection {
  readonly #collection: SampleCollection
  readonly #strata: readonly Stratum[]
  /** First place of every stratum. */
  readonly #starts: readonly number[]
  readonly #orders = new Map<number, DrawOrder>()
  readonly length: number

  constructor(collection: SampleCollection, sources: readonly SourceRows[]) {
    this.#collection = collection
    this.#strata = strataOf(sources, number => collection.factsOf(number)).filter(({ rows }) => rows.length > 0)
    let length = 0
    this.#starts = this.#strata.map(({ rows }) => (length += rows.length) - rows.length)
    this.length = length
  }

  /** The domains that have samples. */
  get domains(): ReadonlySet<Domain> {
    const found = new Set<Domain>()
    for (let place = 0; place < this.length; place++) found.add(this.factsOf(place).domain)
    return found
  }

  /** What is known of a sample without making it. */
  factsOf(place: number): RowFacts {
    return this.#collection.factsOf(this.#number(place))
  }

  /** Samples by their places, in the order given. */
  read(places: readonly number[]): Promise<Sample[]> {
    return this.#collection.read(places.map(place => this.#number(place)))
  }

  /**
   * Places in the order in which they are drawn: by weight, shuffled by the seed, without end. A pure function of its
   * arguments, so that a run which goes on at a draw repeats none and leaves none out.
   *
   * @param from number of the first draw
   * @throws DATA_OPTION_INVALID when the selection is empty
   */
  draws(from: number, count: number, seed: number): number[] {
    const order = this.#orders.get(seed) ?? drawOrder(this.#mixed(), seed)
    this.#orders.set(seed, order)
    return Array.from({ length: count }, (_, i) => {
      const { source, row } = order.at(from + i)
      return this.#starts[source]! + row // a start per stratum
    })
  }

  #mixed(): { rows: number; weight: number }[] {
    return this.#strata.map(({ rows, weight }) => ({ rows: rows.length, weight }))
  }

  #number(place: number): number {
    const i = this.#starts.findLastIndex(start => start <= place)
    return this.#strata[i]!.rows[place - this.#starts[i]!]! // a place of this selection
  }
}
