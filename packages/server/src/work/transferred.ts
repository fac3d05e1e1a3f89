import { isMarkedAsUntransferable } from 'node:worker_threads'

/** The memory of arrays in a message that can go to another thread as it is: that of nothing else. The sender loses it. */
export function transferredBuffers(message: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>()
  const waiting: unknown[] = [message]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (ArrayBuffer.isView(value)) {
      const { buffer, byteLength } = value
      if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength && !isMarkedAsUntransferable(buffer))
        found.add(buffer)
    } else if (typeof value === 'object' && value !== null)
      // One by one: arguments are too few for the samples of an ECG.
      for (const one of value instanceof Map ? value.values() : Object.values(value))
        if (typeof one === 'object') waiting.push(one)
  }
  return [...found]
}
