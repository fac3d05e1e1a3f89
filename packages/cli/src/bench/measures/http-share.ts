import { z } from 'zod'
import { serveRewards } from '../../training/serve-rewards.ts'
import type { Measurement } from '../base/measurement.ts'
import { seededRandom } from '../base/seeded-random.ts'
import { labels, response } from './score-responses.ts'

const Options = z.object({ questions: z.int(), groupSize: z.int(), characters: z.int(), stepSeconds: z.number() })
const Scores = z.object({ rows: z.array(z.object({ score: z.number() })) })
const Advantages = z.object({ advantages: z.array(z.number()) })

/** Rows of one request, as the plug-in for training engines sends them. */
const requestRows = 256

/** Both calls of a step of a training engine elsewhere, one request after the other, with the work that they ask for. */
export async function httpShare(options: unknown): Promise<Measurement> {
  const { questions, groupSize, characters, stepSeconds } = Options.parse(options)
  const random = seededRandom(7)
  const rows = Array.from({ length: questions * groupSize }, (_, id) => {
    const question = Math.floor(id / groupSize)
    const answer = labels.filter((_label, label) => (question + label) % 4 === 0)
    return { id: question, response: response(characters, random), answer, labels, answerMode: 'multi' }
  })
  const kl = rows.map(() => random())
  const server = await serveRewards()
  const ask = async (path: string, body: unknown): Promise<unknown> => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${server.key}` }
    return (await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) })).json()
  }
  const round = async (): Promise<{ value: number }> => {
    const began = performance.now()
    const rewards: number[] = []
    for (let from = 0; from < rows.length; from += requestRows) {
      const answer = await ask('/v1/rewards', { rows: rows.slice(from, from + requestRows), preset: 'paper' })
      rewards.push(...Scores.parse(answer).rows.map(({ score }) => score))
    }
    const questionIds = rows.map(({ id }) => id)
    const domains = questionIds.map(id => `domain ${id % 9}`)
    const lengths = rows.map(() => 1000)
    const batch = { rewards, questionIds, domains, lengths, kl }
    Advantages.parse(await ask('/v1/advantages', { ...batch, estimator: 'drpo' }))
    return { value: (performance.now() - began) / 1000 / stepSeconds }
  }
  return { round, close: () => server.close() }
}
