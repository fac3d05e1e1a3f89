import { ByteReader } from './byte-reader.ts'
import {
  PickleCall,
  PickleDict,
  PickleGlobal,
  PicklePersistent,
  PickleTuple,
  type PickleValue,
} from './pickle-values.ts'

const mark = Symbol('mark')
type Slot = PickleValue | typeof mark

/** Names that a checkpoint may mention; anything else is refused. */
export type AllowedGlobals = (name: string) => boolean

/**
 * Reads a pickle without executing anything: names are kept as names, calls as records, and both only where they are
 * allowed. Opcodes that no checkpoint needs are refused.
 *
 * @param fail makes the error for what is wrong
 */
export function readPickle(
  bytes: Uint8Array,
  isAllowed: AllowedGlobals,
  fail: (problem: string) => Error,
): PickleValue {
  const machine = new PickleMachine(new ByteReader(bytes, fail), isAllowed, fail)
  while (!machine.isDone) machine.step()
  return machine.result()
}

class PickleMachine {
  readonly #reader: ByteReader
  readonly #isAllowed: AllowedGlobals
  readonly #fail: (problem: string) => Error
  readonly #stack: Slot[] = []
  readonly #memo = new Map<number, PickleValue>()
  isDone = false

  constructor(reader: ByteReader, isAllowed: AllowedGlobals, fail: (problem: string) => Error) {
    this.#reader = reader
    this.#isAllowed = isAllowed
    this.#fail = fail
  }

  result(): PickleValue {
    const value = this.#pop()
    if (this.#stack.length > 0) throw this.#fail('its pickle leaves more than one value')
    return value
  }

  step(): void {
    const code = this.#reader.u8()
    const operation = operations[code]
    if (operation === undefined)
      throw this.#fail(`its pickle has the operation 0x${code.toString(16)}, which is not read here`)
    operation(this.#access)
  }

  readonly #access: PickleAccess = {
    reader: (): ByteReader => this.#reader,
    push: value => {
      this.#stack.push(value)
    },
    pop: () => this.#pop(),
    pushMark: () => {
      this.#stack.push(mark)
    },
    popMark: () => this.#popMark(),
    top: () => {
      const value = this.#pop()
      this.#stack.push(value)
      return value
    },
    global: name => {
      if (!this.#isAllowed(name)) throw this.#fail(`its pickle names ${name}, which no checkpoint needs`)
      return new PickleGlobal(name)
    },
    remember: key => {
      this.#memo.set(key, this.#access.top())
    },
    memoSize: () => this.#memo.size,
    recall: key => {
      const value = this.#memo.get(key)
      if (value === undefined) throw this.#fail(`its pickle recalls ${key}, which it never stored`)
      this.#stack.push(value)
    },
    fail: problem => this.#fail(problem),
    stop: () => {
      this.isDone = true
    },
  }

  #pop(): PickleValue {
    const value = this.#stack.pop()
    if (value === undefined || value === mark) throw this.#fail('its pickle takes more values than it has')
    return value
  }

  #popMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(mark)
    if (at < 0) throw this.#fail('its pickle lacks a mark')
    const items = this.#stack.splice(at).slice(1)
    return items as PickleValue[] // no mark is behind the last one
  }
}

interface PickleAccess {
  readonly reader: () => ByteReader
  readonly push: (value: PickleValue) => void
  readonly pop: () => PickleValue
  readonly top: () => PickleValue
  readonly pushMark: () => void
  readonly popMark: () => PickleValue[]
  readonly global: (name: string) => PickleGlobal
  readonly remember: (key: number) => void
  readonly memoSize: () => number
  readonly recall: (key: number) => void
  readonly fail: (problem: string) => Error
  readonly stop: () => void
}

type Operation = (machine: PickleAccess) => void

const operations: Readonly<Record<number, Operation>> = {
  0x80: m => void m.reader().u8(), // PROTO
  0x95: m => void m.reader().take(8), // FRAME
  0x28: m => m.pushMark(), // MARK
  0x2e: m => m.stop(), // STOP
  0x4e: m => m.push(null), // NONE
  0x88: m => m.push(true), // NEWTRUE
  0x89: m => m.push(false), // NEWFALSE
  0x4b: m => m.push(m.reader().u8()), // BININT1
  0x4d: m => m.push(m.reader().u16()), // BININT2
  0x4a: m => m.push(m.reader().i32()), // BININT
  0x8a: m => m.push(longOf(m, m.reader().u8())), // LONG1
  0x47: m => m.push(m.reader().f64(false)), // BINFLOAT
  0x58: m => m.push(m.reader().text(m.reader().u32())), // BINUNICODE
  0x8c: m => m.push(m.reader().text(m.reader().u8())), // SHORT_BINUNICODE
  0x7d: m => m.push(new PickleDict()), // EMPTY_DICT
  0x5d: m => m.push([]), // EMPTY_LIST
  0x29: m => m.push(new PickleTuple([])), // EMPTY_TUPLE
  0x85: m => m.push(new PickleTuple([m.pop()])), // TUPLE1
  0x86: m => pushTuple(m, 2), // TUPLE2
  0x87: m => pushTuple(m, 3), // TUPLE3
  0x74: m => m.push(new PickleTuple(m.popMark())), // TUPLE
  0x61: m => append(m, [m.pop()]), // APPEND
  0x65: m => append(m, m.popMark()), // APPENDS
  0x73: m => setItems(m, [m.pop(), m.pop()].toReversed()), // SETITEM
  0x75: m => setItems(m, m.popMark()), // SETITEMS
  0x71: m => m.remember(m.reader().u8()), // BINPUT
  0x72: m => m.remember(m.reader().u32()), // LONG_BINPUT
  0x94: m => m.remember(m.memoSize()), // MEMOIZE
  0x68: m => m.recall(m.reader().u8()), // BINGET
  0x6a: m => m.recall(m.reader().u32()), // LONG_BINGET
  0x63: m => m.push(m.global(`${line(m)}.${line(m)}`)), // GLOBAL
  0x93: m => stackGlobal(m), // STACK_GLOBAL
  0x51: m => m.push(new PicklePersistent(m.pop())), // BINPERSID
  0x52: m => reduce(m), // REDUCE
  0x62: m => void m.pop(), // BUILD: attributes beside the entries, such as a state dict's versions
}

function pushTuple(m: PickleAccess, length: number): void {
  const items = Array.from({ length }, () => m.pop())
  m.push(new PickleTuple(items.toReversed()))
}

function append(m: PickleAccess, items: readonly PickleValue[]): void {
  const list = m.top()
  if (!Array.isArray(list)) throw m.fail('its pickle appends to something that is no list')
  for (const item of items) list.push(item)
}

function setItems(m: PickleAccess, items: readonly PickleValue[]): void {
  const dict = m.top()
  if (!(dict instanceof PickleDict) || items.length % 2 !== 0)
    throw m.fail('its pickle sets entries of something that is no dict')
  for (let i = 0; i < items.length; i += 2) dict.entries.set(items[i]!, items[i + 1]!)
}

function reduce(m: PickleAccess): void {
  const args = m.pop()
  const callee = m.pop()
  if (!(callee instanceof PickleGlobal) || !(args instanceof PickleTuple))
    throw m.fail('its pickle calls something unnamed')
  m.push(callee.name === 'collections.OrderedDict' ? new PickleDict() : new PickleCall(callee.name, args.items))
}

function stackGlobal(m: PickleAccess): void {
  const name = m.pop()
  const module = m.pop()
  if (typeof name !== 'string' || typeof module !== 'string') throw m.fail('its pickle names something without a name')
  m.push(m.global(`${module}.${name}`))
}

/** A little-endian integer in two's complement; only safe integers occur in checkpoints. */
function longOf(m: PickleAccess, length: number): number {
  const bytes = m.reader().take(length)
  let value = 0n
  for (const [i, byte] of bytes.entries()) value |= BigInt(byte) << BigInt(8 * i)
  const number = Number(BigInt.asIntN(8 * length, value))
  if (!Number.isSafeInteger(number)) throw m.fail('its pickle holds a number beyond 2^53')
  return number
}

/** A name up to the end of its line; longer than any real one is refused. */
function line(m: PickleAccess): string {
  const reader = m.reader()
  const end = reader.bytes.indexOf(0x0a, reader.at)
  if (end < 0 || end - reader.at > 200) throw m.fail('its pickle has a name without an end')
  const text = reader.text(end - reader.at)
  reader.take(1)
  return text
}
