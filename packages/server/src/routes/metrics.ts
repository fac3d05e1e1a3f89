import type { FastifyPluginAsync } from 'fastify'
import type { GenerationSlots } from '../generation-slots.ts'
import type { LoopDelay } from '../loop-delay.ts'
import type { ServerMetrics } from '../server-metrics.ts'
import type { TraceExport } from '../trace-export.ts'

interface MetricsOptions {
  readonly metrics: ServerMetrics
  readonly slots: GenerationSlots
  readonly traces: TraceExport | undefined
  readonly loopDelay: LoopDelay
}

/** GET /metrics: what the server counts, in the text format of Prometheus. */
export const metricsRoute: FastifyPluginAsync<MetricsOptions> = async (app, { metrics, slots, traces, loopDelay }) => {
  app.get('/metrics', { config: { scope: 'metrics' } }, async (_request, reply) => {
    const memory = process.memoryUsage()
    const text = metrics.text({
      qoq_running_answers: slots.running,
      qoq_running_answers_limit: slots.limit,
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
