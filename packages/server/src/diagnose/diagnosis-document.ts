import { chatUsage, finishReason } from '../chat/chat-completion.ts'
import { researchNotice } from '../research-notice.ts'
import type { Diagnosis } from './diagnose.ts'

/** A diagnosis as the JSON document that programs and the page read. Boxes are in pixels of the pictures as sent. */
export function diagnosisDocument({ parsed, completion, ...diagnosis }: Diagnosis): object {
  const { id, model, seed, pictures, boxes, probabilities, warnings, usage, timing, task } = diagnosis
  return {
    object: 'diagnosis',
    id,
    model,
    labels: parsed.labels,
    answer: parsed.answer ?? null,
    ...(probabilities && { probabilities }),
    reasoning: parsed.think ?? null,
    boxes: boxes.map(({ picture, label, x1, y1, x2, y2 }) => ({ picture, label, bbox_2d: [x1, y1, x2, y2] })),
    pictures: pictures.map(({ file, kind, position, length, width, height, seen }) => ({
      file,
      kind,
      position,
      length,
      width,
      height,
      seen,
    })),
    candidates: task.labels,
    warnings,
    finish_reason: finishReason(completion.finish),
    seed,
    ...(usage && { usage: chatUsage(usage) }),
    timing_ms: { decode: rounded(timing.decode), generate: rounded(timing.generate), score: rounded(timing.score) },
    notice: researchNotice,
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}
