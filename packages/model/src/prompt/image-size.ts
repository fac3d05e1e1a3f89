/** A width and a height in pixels. */
export interface ImageSize {
  readonly width: number
  readonly height: number
}
