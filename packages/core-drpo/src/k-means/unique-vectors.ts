/** Points with multiplicities, in lexicographic order. U different points of D numbers. */
export interface WeightedPoints {
  /** D, numbers per point. */
  readonly dimension: number
  /** [U * D] point by point. */
  readonly vectors: Float64Array
  /** [U] how many of the given points are equal to it. */
  readonly weights: Float64Array
}

/** Vectors of which equal ones have become one point. N vectors. */
export interface MergedVectors {
  readonly points: WeightedPoints
  /** [N] index of each vector's point. */
  readonly pointOf: Int32Array
}

/**
 * Merges equal vectors and sorts the rest, so that whatever is computed from the result depends on the set of vectors
 * and not on the order of the questions in the batch.
 *
 * @param vectors [N * D] row by row
 * @param counts [N] how often each row counts; once each by default
 */
export function uniqueVectors(vectors: Float64Array, dimension: number, counts?: Float64Array): MergedVectors {
  const count = vectors.length / dimension
  const order = sortedRows(vectors, dimension, count)
  const pointOf = new Int32Array(count)
  const kept = new Float64Array(vectors.length)
  const weights = new Float64Array(count)
  let unique = 0
  for (let position = 0; position < count; position++) {
    const row = order[position]!
    const isNew = position === 0 || compareRows(vectors, dimension, order[position - 1]!, row) !== 0
    if (isNew) kept.set(vectors.subarray(row * dimension, (row + 1) * dimension), unique++ * dimension)
    pointOf[row] = unique - 1
    weights[unique - 1]! += counts === undefined ? 1 : counts[row]!
  }
  const points = { dimension, vectors: kept.slice(0, unique * dimension), weights: weights.slice(0, unique) }
  return { points, pointOf }
}

/** Plain arrays are sorted by finding what is sorted already (typed ones are not): a history's vectors are. */
function sortedRows(vectors: Float64Array, dimension: number, count: number): number[] {
  return Array.from({ length: count }, (_, row) => row).toSorted((a, b) => compareRows(vectors, dimension, a, b))
}

function compareRows(vectors: Float64Array, dimension: number, a: number, b: number): number {
  for (let axis = 0; axis < dimension; axis++) {
    const difference = vectors[a * dimension + axis]! - vectors[b * dimension + axis]!
    if (difference !== 0) return difference
  }
  return 0
}
