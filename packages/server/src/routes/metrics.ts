import type { FastifyPluginAsync } from 'fastify'
import type { GenerationSlots } from '../generation-slots.ts'
import type { ServerMetrics } from '../server-metrics.ts'

/** GET /metrics: what the server counts, in the text format of Prometheus. */
export const metricsRoute: FastifyPluginAsync<{ metrics: ServerMetrics; slots: GenerationSlots }> = async (
  app,
  { metrics, slots },
) => {
  app.get('/metrics', { config: { scope: 'metrics' } }, async (_request, reply) => {
    const memory = process.memoryUsage()
    const text = metrics.text({
      qoq_running_answers: slots.running,
      qoq_running_answers_limit: slots.limit,
      process_resident_memory_bytes: memory.rss,
      nodejs_heap_size_used_bytes: memory.heapUsed,
    })
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(text)
  })
}
