/** Names that a question's labels may have: the label list, the truth's own labels, and declared aliases. */
export interface LabelNames {
  /** Labels as they are written in the question; they decide where an answer may be split. */
  readonly labels?: readonly string[] | undefined
  /** Other names by label, for example `{ 'Atrial fibrillation': ['AFIB', 'AF'] }`. */
  readonly aliases?: Readonly<Record<string, readonly string[]>> | undefined
}

/** Looks labels up by any of their names. */
export interface LabelVocabulary {
  /** The label's spelling in the list, or undefined where no name matches. */
  find(written: string): string | undefined
  /** What two labels are compared by: the key of the label they name, or of the text itself. */
  keyOf(written: string): string
  /** Marks at the edges of labels that are part of them. */
  readonly marks: LabelMarks
  /** The most separators (comma, semicolon, " and ", "&", newline) that one name contains. */
  readonly maxSeparators: number
  /** Length in UTF-16 units of the longest name. */
  readonly maxLength: number
}

/** Where an answer may be split: comma, semicolon, "&", newline and their wide forms, and the word "and". */
export const separator: RegExp = /[,;&\n\r，；＆、]|\sand(?=\s)/gi

const plain = /^[a-z0-9]+(?: [a-z0-9]+)*$/
const textCommand =
  /\\(?:text|mathrm|textbf|textit|mathbf|mathit|mathsf|textrm|textsf|emph|underline|operatorname)\s*(?=\{)/g
/** Marks around a label that carry no meaning: white space, quotes, full stops, emphasis. */
const quoting = /[\s"'`´‘’“”.,;:!?*_]/
/** The same and brackets, dollar signs and backslashes, for the compared form. */
const edge = /[\s"'`´‘’“”.,;:!?*_$\\(){}[\]]/

/** En dash, non-breaking hyphen, minus sign and their kin: all are typed for a hyphen. */
const dash = /[\p{Pd}\u2212]/gu

/** Marks that stand around a label in pairs. */
const pairs: ReadonlyMap<string, string> = new Map(
  ['""', "''", '``', '‘’', '“”', '**', '__', '$$', '()', '[]', '{}'].map(pair => [pair.charAt(0), pair.charAt(1)]),
)

/** Marks that are part of a label of the list, such as the star of "T2*": they are trimmed in pairs only. */
export type LabelMarks = ReadonlySet<string>

const noMarks: LabelMarks = new Set()

/**
 * Brings a label to the form in which labels are compared: NFKC, lower case, single spaces, hyphens for dashes, without LaTeX text
 * commands, invisible characters, bullets and surrounding punctuation. Signs (`+`, `-`, `%`, `<`) stay: they tell
 * "ER+" from "ER-".
 *
 * @param kept marks that the label list uses at the edge of a label: "T2" is not "T2*" where the list has the star
 */
export function normalizeLabel(label: string, kept: LabelMarks = noMarks): string {
  const folded = foldLabel(label)
  return plain.test(folded) ? folded : trimEdges(folded, edge, kept)
}

/** Case, Unicode form, white space, dashes and LaTeX text commands, without trimming. */
export function foldLabel(label: string): string {
  const lower = label.toLowerCase()
  if (plain.test(lower)) return lower
  const plainer = label
    .normalize('NFKC')
    .replaceAll(/\p{Cf}/gu, '')
    .replaceAll(dash, '-')
    .replaceAll(/\s+/g, ' ')
  return unwrapLatex(plainer).toLowerCase().normalize('NFKC').replaceAll(/\s+/g, ' ').trim()
}

/** Trims bullets, quotes, full stops and emphasis around a label, for showing it. */
export function trimLabel(label: string, kept: LabelMarks = noMarks): string {
  return trimEdges(label, quoting, kept)
}

/** Trims by index: a pattern anchored at the end would be quadratic. */
function trimEdges(text: string, marks: RegExp, kept: LabelMarks): string {
  let [start, end] = [0, text.length]
  for (let next = trimStep(text, { start, end, marks, kept }); next; next = trimStep(text, { start, end, marks, kept }))
    [start, end] = next
  return text.slice(start, end)
}

interface TrimPlace {
  readonly start: number
  readonly end: number
  readonly marks: RegExp
  readonly kept: LabelMarks
}

/** Takes one mark off: a pair around the text, else one at its start or end that no label has; undefined where none is left. */
function trimStep(text: string, { start, end, marks, kept }: TrimPlace): [start: number, end: number] | undefined {
  if (start >= end) return undefined
  const [first, last] = [text.charAt(start), text.charAt(end - 1)]
  const [isFirst, isLast] = [marks.test(first), marks.test(last)]
  if (isFirst && isLast && end - start > 2 && pairs.get(first) === last) return [start + 1, end - 1]
  if ((isFirst && !kept.has(first)) || isBullet(text, start)) return [start + 1, end]
  return isLast && !kept.has(last) ? [start, end - 1] : undefined
}

function isBullet(text: string, at: number): boolean {
  return /^[-•–]\s/.test(text.slice(at, at + 2))
}

/** The marks at the edges of names; white space is none. */
function marksOf(names: readonly string[]): LabelMarks {
  const edges = names.map(foldLabel).flatMap(name => [name.charAt(0), name.charAt(name.length - 1)])
  return new Set(edges.filter(mark => edge.test(mark)))
}

const latexBlank = /\\[ ,;]/g

/**
 * Drops LaTeX text commands and their braces, and reads its blanks and escaped signs: `\text{Edema}` and `\mathrm{Edema}`
 * become `Edema`, `Pleural\ Effusion` becomes `Pleural Effusion`, `R\&D` becomes `R&D`. No backslash is left.
 */
export function unwrapLatex(text: string): string {
  if (!text.includes('\\')) return text
  const unwrapped = text.replaceAll(textCommand, '')
  const bare = unwrapped === text ? text : unwrapped.replaceAll(/[{}]/g, '')
  return bare.replaceAll(latexBlank, ' ').replaceAll('\\', '')
}

/** Makes the vocabulary of a question; later names never take a name from earlier labels. */
export function createVocabulary({ labels = [], aliases = {} }: LabelNames): LabelVocabulary {
  const byKey = new Map<string, string>()
  const marks = marksOf([...labels, ...Object.entries(aliases).flatMap(([label, names]) => [label, ...names])])
  let [maxSeparators, maxLength] = [0, 0]
  const add = (name: string, label: string): void => {
    const key = foldLabel(name)
    if (key === '') return
    if (!byKey.has(key)) byKey.set(key, label)
    maxSeparators = Math.max(maxSeparators, name.match(separator)?.length ?? 0)
    maxLength = Math.max(maxLength, name.length)
  }
  for (const label of labels) add(label, label)
  for (const [label, names] of Object.entries(aliases)) {
    const target = byKey.get(foldLabel(label)) ?? label
    for (const name of [label, ...names]) add(name, target)
  }
  const find = (written: string): string | undefined => {
    const folded = foldLabel(written)
    const known = byKey.get(folded)
    if (known !== undefined || plain.test(folded)) return known
    if (folded.length > 2 * maxLength + maxWrapping) return byKey.get(trimEdges(folded, edge, marks))
    return findTrimmed(folded, byKey, marks)
  }
  const keyOf = (written: string): string => {
    const label = find(written)
    return label === undefined ? normalizeLabel(written, marks) : foldLabel(label)
  }
  return { find, keyOf, marks, maxSeparators, maxLength }
}

/** Marks around a name up to which every way to trim them is tried. */
const maxWrapping = 64

/** Takes marks off one by one until a name is left: a label may begin and end with marks itself. */
function findTrimmed(folded: string, byKey: ReadonlyMap<string, string>, kept: LabelMarks): string | undefined {
  let place: [number, number] | undefined = [0, folded.length]
  while (place) {
    const [start, end]: [number, number] = place
    const known = byKey.get(folded.slice(start, end))
    if (known !== undefined) return known
    place = trimStep(folded, { start, end, marks: edge, kept })
  }
  return undefined
}
