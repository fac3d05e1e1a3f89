/** What a restricted pickle can hold: plain data, and the two kinds of things that a call or a stored object makes. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleValue[]
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleCall
  | PicklePersistent

/** A tuple. */
export class PickleTuple {
  readonly items: readonly PickleValue[]

  constructor(items: readonly PickleValue[]) {
    this.items = items
  }
}

/** A dict or an OrderedDict. */
export class PickleDict {
  readonly entries = new Map<PickleValue, PickleValue>()
}

/** The name of a class or function; it is never looked up. */
export class PickleGlobal {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** A call that the pickle asks for; it is recorded, not made. */
export class PickleCall {
  readonly callee: string
  readonly args: readonly PickleValue[]

  constructor(callee: string, args: readonly PickleValue[]) {
    this.callee = callee
    this.args = args
  }
}

/** A reference to something outside the pickle: PyTorch's storages. */
export class PicklePersistent {
  readonly id: PickleValue

  constructor(id: PickleValue) {
    this.id = id
  }
}
