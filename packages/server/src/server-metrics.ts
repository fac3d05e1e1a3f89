import type { GenerateEvent, TokenUsage } from '@qoq-med/model'
import type { LogEntry } from './request-log.ts'

/** What a server counts: never anything that a client wrote. */
export interface ServerMetrics {
  /** Notes a request that is over. */
  note(entry: LogEntry): void
  /** Notes the tokens of an answer, where the policy counts them. */
  noteTokens(usage: TokenUsage | undefined): void
  /** All that was counted in the text format of Prometheus, with values that are read at that moment. */
  text(now: Readonly<Record<string, number>>): string
}

/** Upper ends of the classes of times in seconds: from a health check to a long answer. */
const bucketSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120] as const

interface RouteTimes {
  count: number
  seconds: number
  readonly buckets: number[]
}

/** Makes the counters of a server. */
export function createServerMetrics(): ServerMetrics {
  const routes = new Map<string, RouteTimes>()
  const tokens = { prompt: 0, completion: 0 }
  return {
    note: ({ method, route = 'none', status, durationMs }) => {
      const labels = `method="${method}",route="${route}",status="${status}"`
      const times = routes.get(labels) ?? { count: 0, seconds: 0, buckets: bucketSeconds.map(() => 0) }
      routes.set(labels, times)
      times.count++
      times.seconds += durationMs / 1000
      for (const [i, end] of bucketSeconds.entries()) if (durationMs / 1000 <= end) times.buckets[i]!++ // one an end
    },
    noteTokens: usage => {
      tokens.prompt += usage?.promptTokens ?? 0
      tokens.completion += usage?.completionTokens ?? 0
    },
    text: now =>
      [
        ...family('qoq_requests_total', 'counter', 'Requests by route and status.'),
        ...[...routes].map(([labels, { count }]) => `qoq_requests_total{${labels}} ${count}`),
        ...family('qoq_request_seconds', 'histogram', 'Time until a response was whole.'),
        ...[...routes].flatMap(([labels, times]) => histogram(labels, times)),
        ...family('qoq_tokens_total', 'counter', 'Tokens of prompts and of answers.'),
        ...Object.entries(tokens).map(([kind, count]) => `qoq_tokens_total{kind="${kind}"} ${count}`),
        ...Object.entries(now).flatMap(([name, value]) => [
          ...family(name, 'gauge', 'At this moment.'),
          `${name} ${value}`,
        ]),
        '',
      ].join('\n'),
  }
}

function family(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
}

function histogram(labels: string, { count, seconds, buckets }: RouteTimes): string[] {
  return [
    ...bucketSeconds.map((end, i) => `qoq_request_seconds_bucket{${labels},le="${end}"} ${buckets[i] ?? 0}`),
    `qoq_request_seconds_bucket{${labels},le="+Inf"} ${count}`,
    `qoq_request_seconds_sum{${labels}} ${seconds}`,
    `qoq_request_seconds_count{${labels}} ${count}`,
  ]
}

/** Passes the events of one request on, and counts its tokens when they are over. */
export async function* counted(
  events: AsyncIterable<GenerateEvent>,
  metrics: ServerMetrics,
): AsyncGenerator<GenerateEvent, void, undefined> {
  let usage: TokenUsage | undefined
  try {
    for await (const event of events) {
      if (event.type === 'sample-end') usage = event.usage ?? usage
      yield event
    }
  } finally {
    metrics.noteTokens(usage)
  }
}
