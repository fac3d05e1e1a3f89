/** A difference with its sign and three decimals, such as +0.012. */
export function signedNumber(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(3)}`
}
