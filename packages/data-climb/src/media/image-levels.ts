/** Repeats the first channel of every pixel, unless there are three: [pixels * channels] to [pixels * 3]. */
export function repeated(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const pixels = data.length / channels
  const out = new Uint8Array(pixels * 3)
  for (let i = 0, to = 0; i < pixels; i++) {
    const level = data[i * channels]! // bounded by the loop
    out[to++] = level
    out[to++] = level
    out[to++] = level
  }
  return out
}

/** Lays [pixels * 4] red, green, blue and alpha on white, in the arithmetic of Pillow's `alpha_composite`. */
export function onWhite(rgba: Uint8Array): Uint8Array {
  const out = new Uint8Array((rgba.length / 4) * 3)
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const alpha = rgba[from + 3]! // four levels per pixel, as the next one
    for (let c = 0; c < 3; c++) {
      const sum = (rgba[from + c]! * alpha + 255 * (255 - alpha)) * 128 + 16_384
      out[to++] = (((sum >> 8) + sum) >> 8) >> 7
    }
  }
  return out
}

/** Converts [pixels * channels] cyan, magenta, yellow and black to [pixels * 3], in the arithmetic of Pillow: 255 - k - c (255 - k) / 255. */
export function rgbOfCmyk(cmyk: Uint8Array, channels: number): Uint8Array {
  const pixels = cmyk.length / channels
  const out = new Uint8Array(pixels * 3)
  for (let i = 0, to = 0; i < pixels; i++) {
    const light = 255 - cmyk[i * channels + 3]! // four levels per pixel, as the next one
    for (let c = 0; c < 3; c++) {
      const product = cmyk[i * channels + c]! * light + 128
      out[to++] = Math.max(0, light - (((product >> 8) + product) >> 8))
    }
  }
  return out
}

/** Levels above 255 become 255, as Pillow converts 16-bit grey. */
export function clippedGrey(values: Uint16Array | Float32Array): Uint8Array {
  return greyOf(values, value => Math.max(0, Math.min(255, value)))
}

function greyOf(values: Uint16Array | Float32Array, level: (value: number) => number): Uint8Array {
  const out = new Uint8Array(values.length * 3)
  for (let i = 0, to = 0; i < values.length; i++) {
    const shade = level(values[i]!) // bounded by the loop
    out[to++] = shade
    out[to++] = shade
    out[to++] = shade
  }
  return out
}

/** Bits of 8, 10, 12, 14 or 16 that hold the largest value: cameras and scanners use one of these. */
export function usedBits(values: Uint16Array | Float32Array): number {
  let most = 0
  for (let i = 0; i < values.length; i++) if (values[i]! > most) most = values[i]! // bounded by the loop
  return [8, 10, 12, 14].find(bits => most < 2 ** bits) ?? 16
}

/** Keeps the highest 8 of the used bits; without a number of bits, spreads the finite values over 0 to 255. */
export function scaledGrey(values: Uint16Array | Float32Array, bits: number | undefined): Uint8Array {
  if (bits !== undefined) return greyOf(values, value => value >> (bits - 8))
  let [low, high] = [Infinity, -Infinity]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]! // bounded by the loop
    if (!Number.isFinite(value)) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  const scale = high > low ? 255 / (high - low) : 0
  return greyOf(values, value => (Number.isFinite(value) ? Math.round((value - low) * scale) : 0))
}
