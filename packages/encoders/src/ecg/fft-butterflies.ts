/** Where a stage of Stockham's algorithm stands: `radix` sub-sequences of `columns` columns, `stride` rows apart. */
export interface Stage {
  readonly radix: number
  readonly columns: number
  readonly stride: number
}

/** Reads x, writes y: one stage of a transform whose roots of unity are `cos` and `sin`. */
export type Butterfly = (
  xr: Float64Array,
  xi: Float64Array,
  yr: Float64Array,
  yi: Float64Array,
  cos: Float64Array,
  sin: Float64Array,
  stage: Stage,
) => void

const radix2: Butterfly = (xr, xi, yr, yi, cos, sin, { columns, stride }) => {
  const half = columns * stride
  for (let k = 0; k < columns; k++) {
    const c = cos[k * stride]!
    const s = sin[k * stride]!
    for (let q = 0, a = k * stride, o = 2 * k * stride; q < stride; q++, a++, o++) {
      const ar = xr[a]!
      const ai = xi[a]!
      const br = xr[a + half]!
      const bi = xi[a + half]!
      yr[o] = ar + br
      yi[o] = ai + bi
      const dr = ar - br
      const di = ai - bi
      yr[o + stride] = dr * c - di * s
      yi[o + stride] = dr * s + di * c
    }
  }
}

const radix3: Butterfly = (xr, xi, yr, yi, cos, sin, { columns, stride }) => {
  const third = columns * stride
  const half3 = Math.sqrt(3) / 2
  for (let k = 0; k < columns; k++) {
    const c1 = cos[k * stride]!
    const s1 = sin[k * stride]!
    const c2 = cos[2 * k * stride]!
    const s2 = sin[2 * k * stride]!
    for (let q = 0, a = k * stride, o = 3 * k * stride; q < stride; q++, a++, o++) {
      const ar = xr[a]!
      const ai = xi[a]!
      const sr = xr[a + third]! + xr[a + 2 * third]!
      const si = xi[a + third]! + xi[a + 2 * third]!
      const dr = (xi[a + third]! - xi[a + 2 * third]!) * half3
      const di = (xr[a + 2 * third]! - xr[a + third]!) * half3
      yr[o] = ar + sr
      yi[o] = ai + si
      const mr = ar - sr / 2
      const mi = ai - si / 2
      const ur = mr + dr
      const ui = mi + di
      const vr = mr - dr
      const vi = mi - di
      yr[o + stride] = ur * c1 - ui * s1
      yi[o + stride] = ur * s1 + ui * c1
      yr[o + 2 * stride] = vr * c2 - vi * s2
      yi[o + 2 * stride] = vr * s2 + vi * c2
    }
  }
}

const radix4: Butterfly = (xr, xi, yr, yi, cos, sin, { columns, stride }) => {
  const quarter = columns * stride
  for (let k = 0; k < columns; k++) {
    const c1 = cos[k * stride]!
    const s1 = sin[k * stride]!
    const c2 = cos[2 * k * stride]!
    const s2 = sin[2 * k * stride]!
    const c3 = cos[3 * k * stride]!
    const s3 = sin[3 * k * stride]!
    for (let q = 0, a = k * stride, o = 4 * k * stride; q < stride; q++, a++, o++) {
      const er = xr[a]! + xr[a + 2 * quarter]!
      const ei = xi[a]! + xi[a + 2 * quarter]!
      const fr = xr[a]! - xr[a + 2 * quarter]!
      const fi = xi[a]! - xi[a + 2 * quarter]!
      const gr = xr[a + quarter]! + xr[a + 3 * quarter]!
      const gi = xi[a + quarter]! + xi[a + 3 * quarter]!
      const hr = xi[a + quarter]! - xi[a + 3 * quarter]!
      const hi = xr[a + 3 * quarter]! - xr[a + quarter]!
      yr[o] = er + gr
      yi[o] = ei + gi
      yr[o + stride] = (fr + hr) * c1 - (fi + hi) * s1
      yi[o + stride] = (fr + hr) * s1 + (fi + hi) * c1
      yr[o + 2 * stride] = (er - gr) * c2 - (ei - gi) * s2
      yi[o + 2 * stride] = (er - gr) * s2 + (ei - gi) * c2
      yr[o + 3 * stride] = (fr - hr) * c3 - (fi - hi) * s3
      yi[o + 3 * stride] = (fr - hr) * s3 + (fi - hi) * c3
    }
  }
}

const radix5: Butterfly = (xr, xi, yr, yi, cos, sin, { columns, stride }) => {
  const fifth = columns * stride
  const cosA = Math.cos((2 * Math.PI) / 5)
  const cosB = Math.cos((4 * Math.PI) / 5)
  const sinA = Math.sin((2 * Math.PI) / 5)
  const sinB = Math.sin((4 * Math.PI) / 5)
  for (let k = 0; k < columns; k++) {
    const w = k * stride
    for (let q = 0, a = w, o = 5 * w; q < stride; q++, a++, o++) {
      const ar = xr[a]!
      const ai = xi[a]!
      const s1r = xr[a + fifth]! + xr[a + 4 * fifth]!
      const s1i = xi[a + fifth]! + xi[a + 4 * fifth]!
      const d1r = xr[a + fifth]! - xr[a + 4 * fifth]!
      const d1i = xi[a + fifth]! - xi[a + 4 * fifth]!
      const s2r = xr[a + 2 * fifth]! + xr[a + 3 * fifth]!
      const s2i = xi[a + 2 * fifth]! + xi[a + 3 * fifth]!
      const d2r = xr[a + 2 * fifth]! - xr[a + 3 * fifth]!
      const d2i = xi[a + 2 * fifth]! - xi[a + 3 * fifth]!
      const m1r = ar + cosA * s1r + cosB * s2r
      const m1i = ai + cosA * s1i + cosB * s2i
      const m2r = ar + cosB * s1r + cosA * s2r
      const m2i = ai + cosB * s1i + cosA * s2i
      const n1r = sinA * d1i + sinB * d2i
      const n1i = sinA * d1r + sinB * d2r
      const n2r = sinB * d1i - sinA * d2i
      const n2i = sinB * d1r - sinA * d2r
      yr[o] = ar + s1r + s2r
      yi[o] = ai + s1i + s2i
      const u1r = m1r + n1r
      const u1i = m1i - n1i
      const u2r = m2r + n2r
      const u2i = m2i - n2i
      const u3r = m2r - n2r
      const u3i = m2i + n2i
      const u4r = m1r - n1r
      const u4i = m1i + n1i
      yr[o + stride] = u1r * cos[w]! - u1i * sin[w]!
      yi[o + stride] = u1r * sin[w]! + u1i * cos[w]!
      yr[o + 2 * stride] = u2r * cos[2 * w]! - u2i * sin[2 * w]!
      yi[o + 2 * stride] = u2r * sin[2 * w]! + u2i * cos[2 * w]!
      yr[o + 3 * stride] = u3r * cos[3 * w]! - u3i * sin[3 * w]!
      yi[o + 3 * stride] = u3r * sin[3 * w]! + u3i * cos[3 * w]!
      yr[o + 4 * stride] = u4r * cos[4 * w]! - u4i * sin[4 * w]!
      yi[o + 4 * stride] = u4r * sin[4 * w]! + u4i * cos[4 * w]!
    }
  }
}

/** A stage for each direct factor. */
export const butterflies: Readonly<Record<number, Butterfly>> = { 2: radix2, 3: radix3, 4: radix4, 5: radix5 }
