import type { Finding } from '../sample/reference.ts'
import type { Domain, EcgRecording, PixelMask, RgbImage } from '../sample/sample.ts'
import type { IntensityWindow } from '../volume/intensity-window.ts'
import type { Volume } from '../volume/voxels.ts'
import type { RandomStream } from './random-stream.ts'

/** A finding of a simulated picture: its name and place in words, and the exact pixels it covers. */
export interface DrawnFinding {
  /** Name in the box list. */
  readonly label: string
  /** Completes "there is …". */
  readonly description: string
  readonly mask: PixelMask
}

/** A simulated picture. */
interface Drawing {
  readonly image: RgbImage
  readonly findings: readonly DrawnFinding[]
}

/** Where the randomness of a picture comes from: the patient's anatomy and disease, and the single view. */
export interface ViewStreams {
  readonly patient: RandomStream
  readonly view: RandomStream
}

/** How visible findings are: their contrast is multiplied by this. */
type FindingContrast = number

/** What every domain of the mini clinic has. */
interface DomainBase {
  readonly domain: Domain
  readonly title: string
  readonly cue: string
  readonly labels: readonly string[]
  readonly answerMode: 'single' | 'multi'
  /** The true answers that occur, with their relative frequency. */
  readonly cases: readonly [ClinicCase, ...ClinicCase[]]
}

/** A domain whose samples are pictures. */
export interface PictureDomain extends DomainBase {
  readonly type: 'picture'
  /** `png` (default), or `dicom` for grey pictures: 12 bits, with the window in which they are shown. */
  readonly format?: 'png' | 'dicom'
  /** Draws one view of a patient with the given answer. */
  readonly draw: (answer: readonly string[], streams: ViewStreams, contrast: FindingContrast) => Drawing
}

/** A domain whose samples are recordings. */
export interface EcgDomain extends DomainBase {
  readonly type: 'ecg'
  /** Simulates one recording of a patient with the given answer. @param severity of what is not normal, 0 to 1 */
  readonly simulate: (answer: readonly string[], streams: ViewStreams, severity: number) => SimulatedEcg
}

/** A domain whose samples are short videos. */
export interface VideoDomain extends DomainBase {
  readonly type: 'video'
  /** Films a patient; masks are those of the first frame. */
  readonly film: (answer: readonly string[], streams: ViewStreams, contrast: FindingContrast) => Film
}

/** A simulated video. */
export interface Film {
  readonly frames: readonly [RgbImage, ...RgbImage[]]
  readonly findings: readonly DrawnFinding[]
}

/** A domain whose samples are volumes. */
export interface VolumeDomain extends DomainBase {
  readonly type: 'volume'
  /** Grey levels in which the slices are shown. */
  readonly window: IntensityWindow
  /** Scans a patient; masks are those of the first slice. */
  readonly scan: (answer: readonly string[], streams: ViewStreams, contrast: FindingContrast) => Scan
}

/** A simulated volume. */
interface Scan {
  readonly volume: Volume
  readonly findings: readonly DrawnFinding[]
}

/** A domain whose samples are a picture, an ECG and a record of one admission. */
export interface StudyDomain extends DomainBase {
  readonly type: 'study'
  /** Examines a patient. */
  readonly examine: (answer: readonly string[], streams: ViewStreams, visibility: StudyVisibility) => Study
}

/** How plain the findings of an admission are, in the picture and in the ECG. */
export interface StudyVisibility {
  readonly contrast: FindingContrast
  /** 0 to 1. */
  readonly severity: number
}

/** A simulated admission. */
interface Study extends Drawing {
  readonly ecg: SimulatedEcg
  /** The record in words. */
  readonly record: string
}

/** One domain of the mini clinic. */
export type ClinicDomain = PictureDomain | EcgDomain | VideoDomain | VolumeDomain | StudyDomain

/** A simulated recording with what it shows, and the SNOMED CT codes for its header. */
interface SimulatedEcg {
  readonly recording: EcgRecording
  readonly findings: readonly Finding[]
  readonly snomed: readonly string[]
}

/** An answer and how often it occurs. */
export interface ClinicCase {
  readonly answer: readonly [string, ...string[]]
  readonly weight: number
}
