import { inspect } from 'node:util'

const stand = '(withheld)'

/**
 * Carries what says who a patient is, such as a name or an identifier. However it is written (as a text, as JSON, by a log),
 * it says nothing; `reveal` alone gives it, for a document that goes back to who sent it.
 */
export class Withheld<Value> {
  readonly #value: Value

  constructor(value: Value) {
    this.#value = value
  }

  reveal(): Value {
    return this.#value
  }

  toString(): string {
    return stand
  }

  toJSON(): string {
    return stand
  }

  [inspect.custom](): string {
    return stand
  }
}
