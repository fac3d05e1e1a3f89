/** Runs the cases in turn, so that noise meets all of them, and answers each one's smallest and middle time in ms. */
export async function timeInTurn(
  cases: Readonly<Record<string, () => unknown>>,
  rounds: number,
): Promise<Record<string, { minMs: string; medianMs: string }>> {
  const times = Object.entries(cases).map(([name, run]) => ({ name, run, ms: [] as number[] }))
  for (let round = -2; round < rounds; round++) {
    for (const { run, ms } of times) {
      const started = performance.now()
      await run()
      if (round >= 0) ms.push(performance.now() - started)
    }
  }
  return Object.fromEntries(
    times.map(({ name, ms }) => {
      const sorted = ms.toSorted((a, b) => a - b)
      const [minMs = 0, medianMs = 0] = [sorted[0], sorted[sorted.length >> 1]]
      return [name, { minMs: minMs.toFixed(2), medianMs: medianMs.toFixed(2) }]
    }),
  )
}
