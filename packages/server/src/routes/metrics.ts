import type { Policy } from '@qoq-med/model'
import type { FastifyPluginAsync } from 'fastify'
import type { GenerationSlots } from '../generation-slots.ts'
import type { LoopDelay } from '../loop-delay.ts'
import type { ServerMetrics } from '../server-metrics.ts'
import type { TraceExport } from '../trace-export.ts'

interface MetricsOptions {
  readonly policy: Policy | undefined
  readonly metrics: ServerMetrics
  readonly slots: GenerationSlots
  readonly traces: TraceExport | undefined
  readonly loopDelay: LoopDelay
}

/** GET /metrics: what the server counts, in the text format of Prometheus. */
export const metricsRoute: FastifyPluginAsync<MetricsOptions> = async (
  app,
  { policy, metrics, slots, traces, loopDelay },
) => {
  app.get('/metrics', { config: { scope: 'metrics' } }, async (_request, reply) => {
    const memory = process.memoryUsage()
    const text = metrics.text({
      qoq_running_answers: slots.running,
      qoq_running_answers_limit: slots.limit,
      ...(await loadGauges(policy)),
      ...(traces && { qoq_spans_dropped: traces.dropped }),
      nodejs_eventloop_lag_max_seconds: loopDelay.takeMaxSeconds(), // since the last time that was asked
      process_resident_memory_bytes: memory.rss,
      nodejs_heap_size_used_bytes: memory.heapUsed,
      nodejs_heap_size_total_bytes: memory.heapTotal,
      nodejs_external_memory_bytes: memory.external,
      nodejs_array_buffers_bytes: memory.arrayBuffers,
    })
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(text)
  })
}

/**
 * The queue, the running batch and the cache of keys and values, where the policy runs in this process. One that has ended has none: what
 * the server counted is told all the same.
 */
async function loadGauges(policy: Policy | undefined): Promise<Record<string, number>> {
  const load = await policy?.load?.().catch(() => undefined)
  if (!load) return {}
  return {
    qoq_waiting_answers: load.waitingAnswers,
    qoq_batch_size: load.batchSize,
    qoq_batch_size_limit: load.batchLimit,
    qoq_kv_cache_tokens: load.cachedTokens,
    qoq_kv_cache_tokens_capacity: load.cacheTokens,
  }
}
