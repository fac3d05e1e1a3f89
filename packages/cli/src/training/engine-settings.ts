/** Arguments that say where a run trains. */
export interface EngineArguments {
  readonly engine: string | undefined
  readonly ray: string | undefined
}

/** The same as overrides of a configuration. */
export function engineSettings({ engine, ray }: EngineArguments): string[] {
  return [...(engine === undefined ? [] : [`engine=${engine}`]), ...(ray === undefined ? [] : [`cluster.ray=${ray}`])]
}
