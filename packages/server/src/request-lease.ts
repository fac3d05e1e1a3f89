import type { FastifyReply } from 'fastify'
import type { GenerationLease, GenerationSlots } from './generation-slots.ts'

/**
 * Takes room for the answers of a request until its connection is over, however it ends; a client that goes away ends them, also
 * one that went before there was room: its connection tells of its end only once.
 *
 * @throws SERVER_BUSY when there is not enough
 */
export function leaseFor(reply: FastifyReply, slots: GenerationSlots, answers: number): GenerationLease {
  const lease = slots.open(answers)
  if (reply.raw.closed) lease.close()
  else reply.raw.once('close', () => lease.close())
  return lease
}
