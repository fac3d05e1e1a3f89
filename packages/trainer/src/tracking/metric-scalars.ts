/** Fields of a metrics line that say where it belongs, not what was measured. */
const coordinates = new Set(['stage', 'stageIndex', 'algorithm', 'step'])

/**
 * The numbers of a metrics line by path, such as `drpo/rewardByDomain/ecg`: what trackers show. Texts, truth values and
 * lists are left out.
 *
 * @param record a line of metrics.jsonl
 */
export function metricScalars(record: Readonly<Record<string, unknown>>): Record<string, number> {
  const measured = Object.entries(record).filter(([name]) => !coordinates.has(name))
  const prefix = typeof record['stage'] === 'string' ? `${record['stage']}/` : ''
  return Object.fromEntries(measured.flatMap(([name, value]) => numbersIn(`${prefix}${name}`, value)))
}

function numbersIn(path: string, value: unknown): [string, number][] {
  if (typeof value === 'number') return [[path, value]]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => numbersIn(`${path}/${name}`, inner))
}
