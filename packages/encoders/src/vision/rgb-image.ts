import { encodersErrors } from '../errors.ts'

/** A decoded picture: 8 bits per channel, red, green, blue, row by row. */
export interface RgbImage {
  /** In pixels. */
  readonly width: number
  /** In pixels. */
  readonly height: number
  /** [height * width * 3] */
  readonly data: Uint8Array
}

/**
 * Refuses an image whose data are no bytes or do not match its size.
 *
 * @throws ENCODERS_IMAGE_DATA, ENCODERS_IMAGE_SIZE
 */
export function checkImage({ width, height, data }: RgbImage): void {
  const whole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0
  if (!whole || data.length !== width * height * 3)
    throw encodersErrors.IMAGE_SIZE({ width, height, bytes: data.length })
  if (data.BYTES_PER_ELEMENT !== 1) throw encodersErrors.IMAGE_DATA({ kind: (data as object).constructor.name })
}
