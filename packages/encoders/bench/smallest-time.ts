/** The smallest time of some runs in ms: what the work takes where nothing else disturbs it. */
export async function smallestMs(runs: number, work: () => unknown): Promise<number> {
  let smallest = Infinity
  for (let i = 0; i < runs; i++) {
    const started = performance.now()
    await work()
    smallest = Math.min(smallest, performance.now() - started)
  }
  return smallest
}
