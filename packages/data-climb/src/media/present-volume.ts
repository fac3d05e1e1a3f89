import type { RgbImage } from '../sample/sample.ts'
import { windowOf, windowPresets, type IntensityWindow, type WindowChoice } from '../volume/intensity-window.ts'
import { axialFrames, finiteRange, framesPerVolume, type AroundPoint } from '../volume/slices.ts'
import type { Volume } from '../volume/voxels.ts'

/** Axial slices of a volume, with which ones they are. */
export interface PresentedVolume {
  readonly type: 'image' | 'video'
  readonly pictures: readonly RgbImage[]
  readonly positions: readonly number[]
  /** Slices of the volume. */
  readonly length: number
}

/**
 * Cuts the axial slices that a model sees from a volume. Without a window of its own or a given one, a volume in Hounsfield
 * units is seen in the soft-tissue window, which is said; others over the range of their values.
 */
export function presentVolume(
  volume: Volume,
  {
    window,
    frames: count = framesPerVolume,
    around,
  }: {
    readonly window?: WindowChoice | undefined
    readonly frames?: number | undefined
    readonly around?: AroundPoint | undefined
  } = {},
): PresentedVolume {
  const { warning, ...shown } = shownValues(volume, window)
  const warnings = [...volume.warnings, ...(warning === undefined ? [] : [warning])]
  const frames = axialFrames({ ...volume, warnings }, { count, ...(around && { around }), ...shown })
  return { type: frames.length > 1 ? 'video' : 'image', ...frames }
}

/** The window in which a volume is seen where nobody chooses another; undefined where all of its values are equal. */
export function volumeWindow(volume: Volume): IntensityWindow | undefined {
  const { window, range: [low, high] = [0, 0] } = shownValues(volume, 'file')
  return window ?? (high > low ? { center: (low + high) / 2, width: high - low } : undefined)
}

interface ShownValues {
  readonly window?: IntensityWindow
  readonly range?: readonly [number, number]
  readonly warning?: string
}

function shownValues(volume: Volume, choice: WindowChoice = 'file'): ShownValues {
  const window = windowOf(choice) ?? (choice === 'file' ? volume.window : undefined)
  if (window) return { window }
  const range = finiteRange(volume)
  if (choice === 'range' || !isHounsfield(range)) return { range }
  const { center, width } = windowPresets['soft-tissue']
  const warning = `the values look like Hounsfield units and are shown in the window ${center}/${width}; choose another by \`window\``
  return { window: { center, width }, warning }
}

/** Air is -1000, and some scanners fill the corners with -2000 or -3024; soft tissue and bone lie above zero. */
const hounsfieldLow = [-4096, -900] as const
const hounsfieldHigh = [100, 32_767] as const

function isHounsfield([low, high]: readonly [number, number]): boolean {
  return low >= hounsfieldLow[0] && low <= hounsfieldLow[1] && high >= hounsfieldHigh[0] && high <= hounsfieldHigh[1]
}
