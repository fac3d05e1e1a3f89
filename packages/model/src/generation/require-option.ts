import { modelErrors } from '../errors.ts'

/** Refuses an option's value. @throws MODEL_OPTION_INVALID unless `isValid` */
export function requireOption(isValid: boolean, option: string, value: number | string, allowed: string): void {
  if (!isValid) throw modelErrors.OPTION_INVALID({ option, value: String(value), allowed })
}
