import type { GenerateEvent, GenerateRequest, Policy } from '@qoq-med/model'

/** A policy that answers with given words, and remembers what it was asked. */
export interface FakePolicy extends Policy {
  /** The requests so far, in order. */
  readonly requests: GenerateRequest[]
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
  /** Counts its tokens and knows their text, as a policy in this process does; default true. */
  readonly hasTokens?: boolean
  readonly finish?: 'end' | 'length'
}

/** Makes a fake policy with a vocabulary of its words; a prompt has one token per message. */
export function fakePolicy({
  words = ['It ', 'is ', 'normal.'],
  gate,
  failure,
  failsAt = 'first-word',
  isMute = false,
  hasTokens = true,
  finish = 'end',
}: FakePolicyOptions = {}): FakePolicy {
  const requests: GenerateRequest[] = []
  let aborted = 0
  return {
    info: { name: 'fake', maxPositions: 128, modalities: ['text', 'image', 'ecg'] },
    requests,
    aborted: () => aborted,
    ...(hasTokens && {
      tokenIds: async texts => texts.map(text => Int32Array.from(text, char => char.codePointAt(0) ?? 0)),
      tokenBytes: tokenId => Buffer.from(words[tokenId] ?? ''),
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
        const usage = { promptTokens: countOf(request?.prompt), completionTokens: (sample + 1) * words.length }
        yield { type: 'sample-end', request: 0, sample, text: '', completion, ...(hasTokens && { usage }) }
      }
    },
    close: async () => {},
  }
}

/** A token per message. */
function countOf(prompt: GenerateRequest['prompt'] = []): number {
  return 'tokenIds' in prompt ? prompt.tokenIds.length : prompt.length
}
