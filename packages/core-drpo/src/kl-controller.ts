import { drpoErrors } from './errors.ts'

/** The coefficient β of a KL penalty and how it follows the measured KL; a plain value for checkpoints. */
export type KlController =
  | { readonly type: 'fixed'; readonly coefficient: number }
  | {
      readonly type: 'adaptive'
      readonly coefficient: number
      /** KL that is aimed at, greater than 0. */
      readonly target: number
      /** Steps over which an error is corrected, greater than 0. */
      readonly horizon: number
    }

/**
 * The controller after some steps (Ziegler et al. 2019). A fixed one stays; an adaptive one moves in proportion to the
 * relative error, clipped to ±0.2:
 *
 *     β ← β · (1 + clip(KL / target - 1, -0.2, 0.2) · steps / horizon)
 *
 * @param kl measured mean KL
 * @param steps since the last update
 * @throws DRPO_INVALID_OPTION for a target or horizon that is not positive, or a KL that is not finite
 */
export function updateKlController(controller: KlController, kl: number, steps: number): KlController {
  if (controller.type === 'fixed') return controller
  const { coefficient, target, horizon } = controller
  for (const [option, value] of Object.entries({ target, horizon, kl: kl + target })) {
    if (Number.isFinite(value) && (value > 0 || option === 'kl')) continue
    const found = String(option === 'kl' ? kl : value)
    throw drpoErrors.INVALID_OPTION({
      owner: 'the adaptive KL controller',
      option,
      expected: 'a positive number',
      found,
    })
  }
  const error = Math.min(Math.max(kl / target - 1, -0.2), 0.2)
  return { ...controller, coefficient: coefficient * (1 + (error * steps) / horizon) }
}
