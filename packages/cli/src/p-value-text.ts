/** A p-value in words: "p .031", or "p ≤ .002" where the redraws cannot tell from less. */
export function pValueText({ pValue, isAtFloor }: { readonly pValue: number; readonly isAtFloor: boolean }): string {
  return `p ${isAtFloor ? '≤ ' : ''}${pValue.toFixed(3)}`
}
