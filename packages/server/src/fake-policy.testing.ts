import type { Encoded, GenerateEvent, GenerateRequest, Message } from '@qoq-med/model'
import type { ServedPolicy } from './served-policy.ts'

/** A policy that answers with given words, and remembers what it was asked. */
export interface FakePolicy extends ServedPolicy {
  /** The requests so far, in order. */
  readonly requests: GenerateRequest[]
  /** The messages that were encoded, in order. */
  readonly encoded: (readonly Message[])[]
  /** How many generations were ended by their signal. */
  readonly aborted: () => number
}

/** What a fake policy does. */
export interface FakePolicyOptions {
  /** The words of every answer, one token each. */
  readonly words?: readonly string[]
  /** Waits after the first word until it is told to go on, or is ended. */
  readonly gate?: Promise<void>
  /** Thrown after the first word, or before it. */
  readonly failure?: Error
  readonly failsAt?: 'start' | 'first-word'
  /** Gives no answer at all. */
  readonly isMute?: boolean
  /** Has a tokenizer, as a policy in this process does; default true. */
  readonly hasModel?: boolean
  readonly finish?: 'end' | 'length'
}

/** Makes a fake policy with a vocabulary of its words; a prompt has one token per message. */
export function fakePolicy({
  words = ['It ', 'is ', 'normal.'],
  gate,
  failure,
  failsAt = 'first-word',
  isMute = false,
  hasModel = true,
  finish = 'end',
}: FakePolicyOptions = {}): FakePolicy {
  const requests: GenerateRequest[] = []
  const encoded: (readonly Message[])[] = []
  let aborted = 0
  return {
    info: { name: 'fake', maxPositions: 128, modalities: ['text', 'image', 'ecg'] },
    requests,
    encoded,
    aborted: () => aborted,
    ...(hasModel && {
      model: {
        encode: (messages: readonly Message[]) => {
          encoded.push(messages)
          return emptyPrompt(messages.length)
        },
        tokenizer: { bytes: (tokenId: number) => Buffer.from(words[tokenId] ?? '') },
      },
    }),
    generate: async function* (asked, { signal } = {}): AsyncGenerator<GenerateEvent, void, undefined> {
      requests.push(...asked)
      const [request] = asked
      if (failure && failsAt === 'start') throw failure
      if (isMute) return
      const stopped = new Promise<never>((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason))
      })
      stopped.catch(() => {})
      for (let sample = 0; sample < (request?.samples ?? 1); sample++) {
        for (const [tokenId, text] of words.entries()) {
          const top = Array.from({ length: request?.topLogprobs ?? 0 }, () => ({ tokenId, logprob: -0.5 }))
          yield { type: 'token', request: 0, sample, token: { tokenId, logprob: -0.5 }, text, top }
          if (failure) throw failure
          if (!gate) continue
          await Promise.race([gate, stopped]).catch(error => {
            aborted++
            throw error
          })
        }
        const tokenIds = Int32Array.from(words.keys())
        const completion = { tokenIds, logprobs: new Float32Array(words.length), text: words.join(''), finish }
        yield { type: 'sample-end', request: 0, sample, text: '', completion }
      }
    },
    close: async () => {},
  }
}

function emptyPrompt(tokens: number): Encoded {
  const none = new Int32Array(0)
  const tokenIds = new Int32Array(tokens)
  return {
    tokenIds,
    positionIds: new Int32Array(3 * tokens),
    ropeDelta: 0,
    visionPositions: none,
    ecgPositions: none,
    vision: [],
    ecgs: [],
  }
}
