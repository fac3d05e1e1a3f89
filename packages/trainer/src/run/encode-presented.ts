import { preprocessEcg, releaseWindow } from '@qoq-med/encoders'
import type { PromptMessage, PromptPart } from '@qoq-med/data-climb'
import type { Encoded, PolicyModel } from '@qoq-med/model'
import type { Presentation } from '../config/run-config.ts'

/** Encodes a sample's prompt as a configuration presents it. */
export function encodePresented(
  model: PolicyModel,
  messages: readonly PromptMessage[],
  { template, frames, ecgWindow }: Presentation,
): Encoded {
  const written = messages.map(({ content, ...message }) => ({
    ...message,
    content: content.flatMap(part => presented(part, template, frames)),
  }))
  const encoded = model.encode(written)
  return ecgWindow === 'jepa' ? encoded : { ...encoded, ecgs: releasedEcgs(model, messages) }
}

function presented(part: PromptPart, template: string, frames: Presentation['frames']): PromptPart[] {
  if (part.type === 'text') return [{ ...part, text: template.replaceAll('{question}', () => part.text) }]
  if (part.type !== 'video' || frames === 'video') return [part]
  return part.frames.map(image => ({ type: 'image', image }))
}

/** The ECGs of a prompt through the window of the public code, as long as the encoder's own. */
function releasedEcgs({ config }: PolicyModel, messages: readonly PromptMessage[]): Encoded['ecgs'] {
  const { numPatches, patchSize } = config.ecg!.encoder // a prompt with an ECG was encoded
  const window = { ...releaseWindow, samples: numPatches * patchSize }
  return messages.flatMap(({ content }) =>
    content.flatMap(part => (part.type === 'ecg' ? [preprocessEcg(part.ecg, { window })] : [])),
  )
}
