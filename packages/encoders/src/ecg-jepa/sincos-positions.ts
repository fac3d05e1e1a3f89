/**
 * Fixed position table of ECG-JEPA (two-dimensional sine and cosine, as in MAE): the first half of a row encodes the
 * patch's time, the second half its lead; each half has sines first, then cosines.
 *
 * @returns [numLeads * numPatches, embedDim], lead-major
 */
export function sincosPositions(numLeads: number, numPatches: number, embedDim: number): Float32Array {
  const quarter = embedDim / 4
  const table = new Float32Array(numLeads * numPatches * embedDim)
  for (let row = 0; row < numLeads * numPatches; row++) {
    const places = [row % numPatches, Math.floor(row / numPatches)]
    places.forEach((place, half) => {
      for (let i = 0; i < quarter; i++) {
        const angle = place / 10_000 ** (i / quarter)
        table[row * embedDim + half * 2 * quarter + i] = Math.sin(angle)
        table[row * embedDim + half * 2 * quarter + quarter + i] = Math.cos(angle)
      }
    })
  }
  return table
}
