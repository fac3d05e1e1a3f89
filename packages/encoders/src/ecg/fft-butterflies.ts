/** Where a stage of Stockham's algorithm stands: `radix` sub-sequences of `columns` columns, `stride` rows apart. */
export interface Stage {
  readonly radix: number
  readonly columns: number
  readonly stride: number
  /** [columns, radix - 1, 2] cosine and sine of the roots that a column's outputs are multiplied by, as they are used. */
  readonly roots: Float64Array
}

/** Reads x, writes y: one stage of a transform. */
export type Butterfly = (xr: Float64Array, xi: Float64Array, yr: Float64Array, yi: Float64Array, stage: Stage) => void

const radix2: Butterfly = (xr, xi, yr, yi, { columns, stride, roots }) => {
  const half = columns * stride
  for (let k = 0; k < columns; k++) {
    const c = roots[2 * k]!
    const s = roots[2 * k + 1]!
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

const radix3: Butterfly = (xr, xi, yr, yi, { columns, stride, roots }) => {
  const third = columns * stride
  const half3 = Math.sqrt(3) / 2
  for (let k = 0; k < columns; k++) {
    const t = 4 * k
    const c1 = roots[t]!
    const s1 = roots[t + 1]!
    const c2 = roots[t + 2]!
    const s2 = roots[t + 3]!
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

const radix4: Butterfly = (xr, xi, yr, yi, { columns, stride, roots }) => {
  const quarter = columns * stride
  for (let k = 0; k < columns; k++) {
    const t = 6 * k
    const c1 = roots[t]!
    const s1 = roots[t + 1]!
    const c2 = roots[t + 2]!
    const s2 = roots[t + 3]!
    const c3 = roots[t + 4]!
    const s3 = roots[t + 5]!
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

const radix5: Butterfly = (xr, xi, yr, yi, { columns, stride, roots }) => {
  const fifth = columns * stride
  const cosA = Math.cos((2 * Math.PI) / 5)
  const cosB = Math.cos((4 * Math.PI) / 5)
  const sinA = Math.sin((2 * Math.PI) / 5)
  const sinB = Math.sin((4 * Math.PI) / 5)
  for (let k = 0; k < columns; k++) {
    const t = 8 * k
    const c1 = roots[t]!
    const s1 = roots[t + 1]!
    const c2 = roots[t + 2]!
    const s2 = roots[t + 3]!
    const c3 = roots[t + 4]!
    const s3 = roots[t + 5]!
    const c4 = roots[t + 6]!
    const s4 = roots[t + 7]!
    for (let q = 0, a = k * stride, o = 5 * k * stride; q < stride; q++, a++, o++) {
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
      yr[o + stride] = u1r * c1 - u1i * s1
      yi[o + stride] = u1r * s1 + u1i * c1
      yr[o + 2 * stride] = u2r * c2 - u2i * s2
      yi[o + 2 * stride] = u2r * s2 + u2i * c2
      yr[o + 3 * stride] = u3r * c3 - u3i * s3
      yi[o + 3 * stride] = u3r * s3 + u3i * c3
      yr[o + 4 * stride] = u4r * c4 - u4i * s4
      yi[o + 4 * stride] = u4r * s4 + u4i * c4
    }
  }
}

/** The last stage of a transform, whose roots are all one. */
export const lastRadix4: Butterfly = (xr, xi, yr, yi, { stride }) => {
  for (let q = 0; q < stride; q++) {
    const er = xr[q]! + xr[q + 2 * stride]!
    const ei = xi[q]! + xi[q + 2 * stride]!
    const fr = xr[q]! - xr[q + 2 * stride]!
    const fi = xi[q]! - xi[q + 2 * stride]!
    const gr = xr[q + stride]! + xr[q + 3 * stride]!
    const gi = xi[q + stride]! + xi[q + 3 * stride]!
    const hr = xi[q + stride]! - xi[q + 3 * stride]!
    const hi = xr[q + 3 * stride]! - xr[q + stride]!
    yr[q] = er + gr
    yi[q] = ei + gi
    yr[q + stride] = fr + hr
    yi[q + stride] = fi + hi
    yr[q + 2 * stride] = er - gr
    yi[q + 2 * stride] = ei - gi
    yr[q + 3 * stride] = fr - hr
    yi[q + 3 * stride] = fi - hi
  }
}

/** A stage for each direct factor. */
export const butterflies: Readonly<Record<number, Butterfly>> = { 2: radix2, 3: radix3, 4: radix4, 5: radix5 }
