import type { Grammar } from './grammar.ts'
import { modelErrors } from '../errors.ts'

/** A state of a nondeterministic automaton over bytes. */
interface NfaState {
  /** Ranges of bytes and where they lead. */
  readonly edges: { readonly low: number; readonly high: number; readonly to: number }[]
  readonly empty: number[]
}

/** Answers are short; a grammar that needs more states is a mistake. */
const maxStates = 20_000

/**
 * Compiles a grammar to a nondeterministic automaton (Thompson's construction).
 *
 * @throws MODEL_OPTION_INVALID for an empty choice, an impossible repetition, or a grammar beyond all answers
 */
function compileGrammar(grammar: Grammar): { states: readonly NfaState[]; start: number; accept: number } {
  const states: NfaState[] = []
  const builder: Builder = {
    state: () => {
      if (states.length >= maxStates) throw invalid(`a grammar of more than ${maxStates} states`)
      return states.push({ edges: [], empty: [] }) - 1
    },
    edge: (from, low, high, to) => states[from]!.edges.push({ low, high, to }),
    empty: (from, to) => states[from]!.empty.push(to),
  }
  const start = builder.state()
  const accept = append(builder, grammar, start)
  return { states, start, accept }
}

interface Builder {
  readonly state: () => number
  readonly edge: (from: number, low: number, high: number, to: number) => void
  readonly empty: (from: number, to: number) => void
}

/** Adds a grammar behind a state; answers the state that it ends in. */
function append(builder: Builder, grammar: Grammar, from: number): number {
  switch (grammar.type) {
    case 'literal':
      return appendBytes(builder, new TextEncoder().encode(grammar.text), from)
    case 'sequence':
      return grammar.parts.reduce((at, part) => append(builder, part, at), from)
    case 'choice':
      return appendChoice(builder, grammar.options, from)
    case 'repeat':
      return appendRepeat(builder, grammar, from)
    case 'until':
      return appendUntil(builder, new TextEncoder().encode(grammar.end), from)
    case 'digits':
      return appendDigits(builder, grammar.max, from)
    default:
      throw invalid(`a part of the type ${JSON.stringify((grammar as Grammar).type)}`) // plain data may come from outside
  }
}

function appendBytes(builder: Builder, bytes: Uint8Array, from: number): number {
  let at = from
  for (const byte of bytes) {
    const next = builder.state()
    builder.edge(at, byte, byte, next)
    at = next
  }
  return at
}

function appendChoice(builder: Builder, options: readonly Grammar[], from: number): number {
  if (options.length === 0) throw invalid('a choice without options')
  const end = builder.state()
  for (const option of options) {
    const start = builder.state()
    builder.empty(from, start)
    builder.empty(append(builder, option, start), end)
  }
  return end
}

function appendRepeat(builder: Builder, grammar: Extract<Grammar, { type: 'repeat' }>, from: number): number {
  const { item, separator, min, max } = grammar
  const isPossible =
    Number.isInteger(min) && min >= 0 && (max === undefined || (Number.isInteger(max) && max >= Math.max(1, min)))
  if (!isPossible) throw invalid(`a repetition of ${min} to ${String(max)} times`)
  const end = builder.state()
  const separated: Grammar = { type: 'sequence', parts: [{ type: 'literal', text: separator }, item] }
  if (min === 0) builder.empty(from, end)
  let at = append(builder, item, from)
  let count = 1
  for (; count < Math.max(min, max ?? min); count++) {
    if (count >= min) builder.empty(at, end)
    at = append(builder, separated, at)
  }
  builder.empty(at, end)
  if (max === undefined) builder.empty(append(builder, separated, at), at)
  return end
}

/** The automaton of Knuth, Morris and Pratt: a state per matched byte, so that the first occurrence ends it. */
function appendUntil(builder: Builder, end: Uint8Array, from: number): number {
  if (end.length === 0) throw invalid('text up to an empty end')
  const states = Array.from(end, (_, i) => (i === 0 ? from : builder.state()))
  const accept = builder.state()
  // `from` may have other edges; the loop needs a first state of its own.
  states[0] = builder.state()
  builder.empty(from, states[0])
  for (const [matched, state] of states.entries()) {
    for (let byte = 0; byte < 256; byte++) {
      const next = matchedAfter(end, matched, byte)
      builder.edge(state, byte, byte, next === end.length ? accept : states[next]!)
    }
  }
  return accept
}

/** How much of `end` is matched when `byte` follows its first `matched` bytes. */
function matchedAfter(end: Uint8Array, matched: number, byte: number): number {
  const text = [...end.subarray(0, matched), byte]
  for (let length = Math.min(text.length, end.length); length > 0; length--) {
    if (text.slice(-length).every((each, i) => each === end[i])) return length
  }
  return 0
}

function appendDigits(builder: Builder, max: number, from: number): number {
  if (!Number.isInteger(max) || max < 1) throw invalid(`up to ${max} digits`)
  const end = builder.state()
  let at = from
  for (let i = 0; i < max; i++) {
    const next = builder.state()
    builder.edge(at, 0x30, 0x39, next)
    builder.empty(next, end)
    at = next
  }
  return end
}

function invalid(value: string): Error {
  return modelErrors.OPTION_INVALID({ option: 'grammar', value, allowed: 'grammars that some answer fits' })
}

/** A deterministic automaton over bytes; its states are numbers from 0, the start. */
export interface ByteAutomaton {
  /** The state after a byte, or -1 where no answer goes on so. */
  next(state: number, byte: number): number
  isAccepting(state: number): boolean
  /** Bytes that an answer needs at least from here to its end. */
  distance(state: number): number
  /** The largest distance of any state. */
  readonly longestDistance: number
}

/** Makes a grammar deterministic. @throws MODEL_OPTION_INVALID as `compileGrammar` */
export function byteAutomaton(grammar: Grammar): ByteAutomaton {
  const { states, start, accept } = compileGrammar(grammar)
  const sets: (readonly number[])[] = []
  const numbers = new Map<string, number>()
  const table: Int32Array[] = []
  const numberOf = (set: readonly number[]): number => {
    const key = set.join()
    const known = numbers.get(key)
    if (known !== undefined) return known
    if (sets.length >= maxStates) throw invalid(`a grammar of more than ${maxStates} states`)
    numbers.set(key, sets.length)
    return sets.push(set) - 1
  }
  numberOf(closure(states, [start]))
  for (let state = 0; state < sets.length; state++) {
    const targets = targetsByByte(states, sets[state]!)
    table.push(Int32Array.from(targets, reached => (reached.length === 0 ? -1 : numberOf(closure(states, reached)))))
  }
  const accepting = sets.map(set => set.includes(accept))
  const distances = distancesTo(accepting, table)
  return {
    next: (state, byte) => table[state]![byte]!,
    isAccepting: state => accepting[state]!,
    distance: state => distances[state]!,
    longestDistance: Math.max(...distances),
  }
}

/** The states that each of the 256 bytes leads to from any state of a set. */
function targetsByByte(states: readonly NfaState[], set: readonly number[]): number[][] {
  const targets: number[][] = Array.from({ length: 256 }, () => [])
  for (const state of set) {
    for (const { low, high, to } of states[state]!.edges)
      for (let byte = low; byte <= high; byte++) targets[byte]!.push(to)
  }
  return targets
}

/** All states that are reached without a byte, in order. */
function closure(states: readonly NfaState[], from: readonly number[]): number[] {
  const reached = new Set(from)
  for (const state of reached) for (const next of states[state]!.empty) reached.add(next)
  return [...reached].toSorted((a, b) => a - b)
}

/** Breadth-first from the accepting states, against the edges. */
function distancesTo(accepting: readonly boolean[], table: readonly Int32Array[]): number[] {
  const sources: Set<number>[] = accepting.map(() => new Set())
  for (const [state, row] of table.entries()) for (const target of row) if (target >= 0) sources[target]!.add(state)
  const distances = accepting.map(isAccepting => (isAccepting ? 0 : Infinity))
  const queue = [...accepting.keys()].filter(state => accepting[state])
  for (const state of queue) {
    for (const source of sources[state]!) {
      if (distances[source] !== Infinity) continue
      distances[source] = distances[state]! + 1
      queue.push(source)
    }
  }
  return distances
}
