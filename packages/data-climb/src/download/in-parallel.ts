/** Runs a task per item, a few at a time; after a failure nothing new is begun, and the first failure is thrown. */
export async function inParallel<Item>(
  items: readonly Item[],
  width: number,
  run: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0
  let failure: { readonly error: unknown } | undefined
  const work = async () => {
    while (next < items.length && !failure) {
      try {
        await run(items[next++]!) // bounded by the loop
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  if (failure) throw failure.error
}
