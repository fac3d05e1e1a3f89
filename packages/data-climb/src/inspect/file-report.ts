/** What a file holds, in the form of `qoq data inspect --json`. Numbers describe the array as stored, before calibration. */
export interface FileReport {
  readonly format: string
  /** Slowest axis first: WFDB [samples, leads], MATLAB [rows, columns], pictures [height, width, 3], videos [frames, height, width, 3]. */
  readonly shape: readonly number[]
  readonly dtype: string
  readonly channels?: readonly string[]
  /** Samples per second and channel. */
  readonly fs?: number
  readonly units?: readonly string[]
  /** Millimetres per voxel, in the order of the format's own axes. */
  readonly spacing?: readonly number[]
  /** Of the little-endian bytes of the array as stored. */
  readonly sha256: string
  /** Of the array as float64 after calibration, in the same order. */
  readonly sha256Physical?: string
  readonly first: readonly number[]
  readonly min: number
  readonly max: number
  readonly mean: number
  /** What people look for, in words: modality, view, orientation, window, duration … */
  readonly about?: Readonly<Record<string, string | number>>
  /** What the file says of its patient: names of fields that are there and not empty, never their values. */
  readonly patientFields?: readonly string[]
  readonly warnings: readonly string[]
}
