/**
 * Works through a list, so many at a time. After the first failure nothing new is begun; what is under way is waited for.
 *
 * @throws the first failure
 */
export async function inLanes<Item>(
  items: readonly Item[],
  lanes: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  let failure: { readonly error: unknown } | undefined
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      if (failure) return
      await work(item).catch((error: unknown) => (failure ??= { error }))
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  if (failure) throw failure.error
}
