/** The group of patients whose attribute is not known. */
export const unknownGroup = 'unknown'

/**
 * Reads a sex as a group: `M`, `F`, or nothing where it is not known. Only the first letter is read, so that `Male`, `m`
 * and `F` all are understood (FairGRPO).
 */
export function sexGroup(sex: string | undefined): 'M' | 'F' | undefined {
  const first = sex?.trim().charAt(0).toUpperCase()
  return first === 'M' || first === 'F' ? first : undefined
}

/**
 * Bins an age: A1 up to 25 years, A2 up to 50, A3 up to 75, A4 above; fractions count, so 25.5 is A2 (FairGRPO).
 *
 * @returns nothing for an age that is negative or not finite
 */
export function ageGroup(years: number | undefined): 'A1' | 'A2' | 'A3' | 'A4' | undefined {
  if (years === undefined || !Number.isFinite(years) || years < 0) return undefined
  return years <= 25 ? 'A1' : years <= 50 ? 'A2' : years <= 75 ? 'A3' : 'A4'
}

/**
 * Joins the known attributes of a patient into one label in the order given, such as `M,A3`; nothing where none is known.
 */
export function jointGroup(groups: readonly (string | undefined)[]): string | undefined {
  const known = groups.filter(group => group !== undefined && group !== '' && group !== unknownGroup)
  return known.length === 0 ? undefined : known.join(',')
}
