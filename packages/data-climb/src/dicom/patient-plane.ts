import type { DataSet } from 'dicom-parser'
import { decimalValues } from './dicom-values.ts'
import { functionalGroups } from './functional-groups.ts'

type Vector = readonly [number, number, number]

/** How a slice lies in the patient: x to the left, y to the back, z to the head, in millimetres (PS3.3 C.7.6.2). */
export interface PatientPlane {
  /** Where columns count to, and where rows do. */
  readonly row: Vector
  readonly column: Vector
  /** At a right angle to both. */
  readonly normal: Vector
  /** The middle of the first pixel, where it is known. */
  readonly position: Vector | undefined
}

const planeOrientation = 'x00209116'
const planePosition = 'x00209113'

/** Reads how a frame lies in the patient; undefined where the file does not say, or says something impossible. */
export function patientPlane(dataSet: DataSet, frame = 0): PatientPlane | undefined {
  const attributes = functionalGroups(dataSet)(frame)
  const cosines = decimalValues(attributes(planeOrientation), 'x00200037')
  if (cosines.length !== 6 || !cosines.every(Number.isFinite)) return undefined
  const [row, column] = [cosines.slice(0, 3), cosines.slice(3)] as unknown as [Vector, Vector] // six numbers
  const isUnit = [row, column].every(vector => Math.abs(dot(vector, vector) - 1) < 0.01)
  if (!isUnit || Math.abs(dot(row, column)) > 0.01) return undefined
  const place = decimalValues(attributes(planePosition), 'x00200032')
  const position = place.length === 3 && place.every(Number.isFinite) ? (place as unknown as Vector) : undefined // three numbers
  return { row, column, normal: cross(row, column), position }
}

const planes = ['sagittal', 'coronal', 'axial'] as const
/** Where each axis counts to, and where from. */
const directions = [
  ['left', 'right'],
  ['back', 'front'],
  ['head', 'feet'],
] as const

/** Says how a slice lies: `axial, columns to the left, rows to the back`; oblique where it lies more than 15 degrees off. */
export function planeText({ row, column, normal }: PatientPlane): string {
  const axis = mainAxis(normal)
  const isOblique = Math.abs(normal[axis]) < Math.cos(Math.PI / 12)
  return `${isOblique ? 'oblique ' : ''}${planes[axis]}, columns to the ${directionOf(row)}, rows to the ${directionOf(column)}`
}

/** The distance of a slice along a direction. */
export function along({ position }: PatientPlane, direction: Vector): number | undefined {
  return position && dot(position, direction)
}

/** The normal turned so that it points to the right, the front or the head, as slices of a volume are counted. */
export function upward({ normal }: PatientPlane): Vector {
  const axis = mainAxis(normal)
  const isUp = axis === 2 ? normal[axis] > 0 : normal[axis] < 0
  return isUp ? normal : [-normal[0], -normal[1], -normal[2]]
}

/** Whether slices are parallel, and turned alike. */
export function isParallel(a: PatientPlane, b: PatientPlane): boolean {
  return dot(a.row, b.row) > 0.999 && dot(a.column, b.column) > 0.999
}

function directionOf(vector: Vector): string {
  const axis = mainAxis(vector)
  return directions[axis][vector[axis] > 0 ? 0 : 1]
}

function mainAxis(vector: Vector): 0 | 1 | 2 {
  const sizes = vector.map(Math.abs) as [number, number, number] // three numbers
  return sizes[2] >= sizes[0] && sizes[2] >= sizes[1] ? 2 : sizes[1] >= sizes[0] ? 1 : 0
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
