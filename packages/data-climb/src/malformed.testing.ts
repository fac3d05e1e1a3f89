/** One damaged copy of a file, with what was done to it. */
export interface DamagedFile {
  readonly how: string
  readonly bytes: Uint8Array
}

/** Values that make lengths negative, huge or zero. */
const extremes = [0x00000000, 0xffffffff, 0x7fffffff, 0x80000000, 0x0000ffff, 0x7f800000] as const
const extremeBytes = [0x00, 0xff, 0x7f, 0x80, 0x20, 0x2d] as const

/**
 * Damages a file in ways that stay the same from run to run: cuts it off, overwrites four bytes of its start with extreme
 * numbers of either byte order, overwrites single bytes all over it, and repeats a part of it.
 */
export function damagedCopies(bytes: Uint8Array, { headerBytes = 256, scattered = 120 } = {}): DamagedFile[] {
  const cuts = Array.from({ length: 24 }, (_, i) => Math.floor((bytes.length * i) / 24))
  const words = Array.from({ length: Math.ceil(Math.min(headerBytes, bytes.length - 4) / 4) }, (_, i) => i * 4)
  return [
    ...cuts.map(length => ({ how: `cut at ${length}`, bytes: bytes.slice(0, length) })),
    ...words.flatMap(at =>
      extremes.map(value => ({ how: `${value.toString(16)} at ${at}`, bytes: withWord(bytes, at, value) })),
    ),
    ...Array.from({ length: scattered }, (_, i) => scatteredDamage(bytes, i)),
    { how: 'written twice', bytes: Buffer.concat([bytes, bytes]) },
  ]
}

function withWord(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice()
  const view = new DataView(copy.buffer)
  if (at + 4 <= copy.length) view.setUint32(at, value, at % 8 === 0)
  return copy
}

/** A different byte for every round, spread over the file by the golden ratio. */
function scatteredDamage(bytes: Uint8Array, round: number): DamagedFile {
  const copy = bytes.slice()
  const at = Math.floor(((round * 0.618_033_988_749) % 1) * copy.length)
  const value = extremeBytes[round % extremeBytes.length] ?? 0
  copy[at] = value
  return { how: `byte ${value} at ${at}`, bytes: copy }
}
