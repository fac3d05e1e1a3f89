/** What the rules for a frozen checkpoint read of a configuration. */
interface FrozenRun {
  readonly model: { readonly weights?: string | undefined }
  readonly device: string
  readonly stages: readonly { readonly algorithm: string; readonly lora?: Adapters | undefined }[]
}

interface Adapters {
  readonly rank: number
  readonly alpha: number
  readonly targets: readonly string[]
}

/** A rule that a configuration breaks, and where. */
export interface BrokenRule {
  readonly message: string
  readonly path: (string | number)[]
}

/** What a configuration asks of a frozen checkpoint (`model.weights`) that cannot be: it alone has no gradients. */
export function brokenFrozenRules({ model, device, stages }: FrozenRun): BrokenRule[] {
  if (model.weights === undefined) return []
  const first = stages[0]?.lora
  const ofStages = stages.flatMap(({ algorithm, lora }, i): BrokenRule[] => [
    ...(lora === undefined
      ? [{ message: 'with model.weights only adapters train; the stage needs lora', path: ['stages', i, 'lora'] }]
      : []),
    ...(lora && first && sizes(lora) !== sizes(first)
      ? [{ message: 'with model.weights all stages train the same adapters', path: ['stages', i, 'lora'] }]
      : []),
    ...(algorithm === 'ppo'
      ? [{ message: 'a critic trains all weights, which model.weights freezes', path: ['stages', i, 'algorithm'] }]
      : []),
  ])
  return device === 'cpu'
    ? ofStages
    : [{ message: 'a frozen checkpoint is read by the cpu alone', path: ['device'] }, ...ofStages]
}

function sizes({ rank, alpha, targets }: Adapters): string {
  return `${rank} ${alpha} ${targets.join()}`
}
