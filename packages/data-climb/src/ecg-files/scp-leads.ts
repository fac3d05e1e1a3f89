/** Leads by their numbers in SCP-ECG (EN 1064) and, with the same numbers, in the MDC codes of DICOM. */
const leadNames: ReadonlyMap<number, string> = new Map([
  [1, 'I'],
  [2, 'II'],
  [61, 'III'],
  [62, 'aVR'],
  [63, 'aVL'],
  [64, 'aVF'],
  [65, '-aVR'],
  ...Array.from({ length: 7 }, (_, i) => [3 + i, `V${i + 1}`] as const),
  ...Array.from({ length: 6 }, (_, i) => [10 + i, `V${i + 2}R`] as const),
  [16, 'X'],
  [17, 'Y'],
  [18, 'Z'],
  [66, 'V8'],
  [67, 'V9'],
  [68, 'V8R'],
  [69, 'V9R'],
])

/** The name of a lead number. */
export function scpLead(number: number): string {
  return leadNames.get(number) ?? `lead ${number}`
}
