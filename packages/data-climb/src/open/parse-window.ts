import { dataErrors } from '../errors.ts'
import { listDatasets } from '../datasets/registry.ts'
import { windowPresets, type WindowChoice, type WindowPreset } from '../volume/intensity-window.ts'

const presetNames = Object.keys(windowPresets) as WindowPreset[] // the keys of that table

/**
 * Reads a choice of window from a text: `center/width` such as `40/400`, a preset's name, the id of a dataset whose scans are
 * seen in a window of their own in training, `file` or `range`.
 *
 * @throws DATA_OPTION_INVALID
 */
export function parseWindow(text: string): WindowChoice {
  const name = presetNames.find(preset => preset === text)
  if (name !== undefined) return name
  if (text === 'file' || text === 'range') return text
  const ofDataset = listDatasets().find(({ id }) => id === text)?.window
  if (ofDataset) return ofDataset
  const [center, width, ...rest] = text.split('/').map(part => (part.trim() === '' ? Number.NaN : Number(part)))
  const isWindow = Number.isFinite(center) && Number.isFinite(width) && (width ?? 0) > 0 && rest.length === 0
  if (isWindow && center !== undefined && width !== undefined) return { center, width }
  const datasets = listDatasets().flatMap(({ id, window }) => (window ? [id] : []))
  throw dataErrors.OPTION_INVALID({
    name: 'window',
    value: JSON.stringify(text.slice(0, 40)),
    range: `center/width such as 40/400, ${[...presetNames, ...datasets].join(', ')}, file or range`,
  })
}
