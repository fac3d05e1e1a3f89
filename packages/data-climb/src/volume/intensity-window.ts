/** The grey levels of a CT: values from `center - width / 2` to `center + width / 2` become 0 to 255. */
export interface IntensityWindow {
  readonly center: number
  readonly width: number
}

/** Windows in which radiologists look at a CT, in Hounsfield units. */
export const windowPresets = {
  'soft-tissue': { center: 40, width: 400 },
  lung: { center: -600, width: 1500 },
  bone: { center: 400, width: 1800 },
  brain: { center: 40, width: 80 },
  angiogram: { center: 80, width: 700 },
} as const satisfies Readonly<Record<string, IntensityWindow>>

/** Name of a window. */
export type WindowPreset = keyof typeof windowPresets

/** Which values are seen: a window, the name of one, what the file itself says, or the range of what is shown. */
export type WindowChoice = IntensityWindow | WindowPreset | 'file' | 'range'

/** The window of a choice; undefined where the file or the range decides. */
export function windowOf(choice: WindowChoice | undefined): IntensityWindow | undefined {
  if (choice === undefined || choice === 'file' || choice === 'range') return undefined
  return typeof choice === 'string' ? windowPresets[choice] : choice
}
