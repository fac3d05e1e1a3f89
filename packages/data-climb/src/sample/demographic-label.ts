/** What is known of a patient for comparing groups; never part of a prompt. */
export interface PatientFacts {
  /** Read by its first letter, m or f in any case; anything else is unknown. */
  readonly sex?: string | undefined
  /** In years; what is negative or not finite is unknown. */
  readonly age?: number | undefined
}

/** Upper ends of the age bands A1 to A3, in years, inclusive; what is above is A4 (FairGRPO, arXiv 2510.19893). */
const ageBands = [25, 50, 75] as const

/**
 * Names the demographic group of a patient: sex and age band, joined where both are known.
 *
 * @returns such as `M,A3`, `F` or `A2`; undefined where nothing is known
 * @example demographicLabel({ sex: 'female', age: 25.5 }) // 'F,A2'
 */
export function demographicLabel({ sex, age }: PatientFacts): string | undefined {
  const known = [sexOf(sex), bandOf(age)].filter(part => part !== undefined)
  return known.length === 0 ? undefined : known.join(',')
}

function sexOf(sex: string | undefined): string | undefined {
  const letter = sex?.trim().charAt(0).toUpperCase()
  return letter === 'M' || letter === 'F' ? letter : undefined
}

function bandOf(age: number | undefined): string | undefined {
  if (age === undefined || !Number.isFinite(age) || age < 0) return undefined
  const above = ageBands.findIndex(end => age <= end)
  return `A${above === -1 ? ageBands.length + 1 : above + 1}`
}
