/** Prefixes of the volt, after `foldUnit`. `â` and `î` begin the micro sign of UTF-8 that was read as Latin-1. */
const millivoltsByPrefix: ReadonlyMap<string, number> = new Map([
  ['', 1000],
  ['m', 1],
  ['milli', 1],
  ['u', 0.001],
  ['mc', 0.001],
  ['micro', 0.001],
  ['μ', 0.001],
  ['âμ', 0.001],
  ['î¼', 0.001],
  ['n', 0.000_001],
  ['nano', 0.000_001],
])

/**
 * Tells what one unit is worth in millivolts: `V`, `mV`, `uV`, `nV` and their spellings, with the micro sign (U+00B5), the
 * Greek mu (U+03BC), or either of them in UTF-8 read as Latin-1; upper and lower case, `volt` written out.
 *
 * @returns millivolts per unit, or undefined when the unit is not a voltage
 */
export function millivoltsPerUnit(unit: string): number | undefined {
  const match = /^(.*?)(?:v|volts?)$/.exec(foldUnit(unit))
  return match ? millivoltsByPrefix.get(match[1] ?? '') : undefined
}

/** Lower case without blanks and brackets; the micro sign becomes the Greek letter. */
function foldUnit(unit: string): string {
  return unit
    .replaceAll('\u00B5', '\u03BC')
    .toLowerCase()
    .replaceAll(/[\s[\]]/g, '')
}
