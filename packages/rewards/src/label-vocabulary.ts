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

/**
 * Brings a label to the form in which labels are compared: NFKC, lower case, single spaces, without LaTeX text
 * commands, invisible characters, bullets and surrounding punctuation. Signs (`+`, `-`, `%`, `<`) stay: they tell
 * "ER+" from "ER-".
 */
export function normalizeLabel(label: string): string {
  const lower = label.toLowerCase()
  if (plain.test(lower)) return lower
  const folded = unwrapLatex(label.normalize('NFKC'))
    .toLowerCase()
    .replaceAll(/\p{Cf}/gu, '')
    .normalize('NFKC')
    .replaceAll(/\s+/g, ' ')
  return trimEdges(folded, edge)
}

/** Trims bullets, quotes, full stops and emphasis around a label, for showing it. */
export function trimLabel(label: string): string {
  return trimEdges(label, quoting)
}

/** Trims by index: a pattern anchored at the end would be quadratic. */
function trimEdges(text: string, marks: RegExp): string {
  let [start, end] = [0, text.length]
  while (start < end && (marks.test(text.charAt(start)) || /^[-•–]\s/.test(text.slice(start, start + 2)))) start += 1
  while (end > start && marks.test(text.charAt(end - 1))) end -= 1
  return text.slice(start, end)
}

/** Drops LaTeX text commands and their braces: `\text{Edema}` and `\mathrm{Edema}` become `Edema`. */
export function unwrapLatex(text: string): string {
  if (!text.includes('\\')) return text
  const unwrapped = text.replaceAll(textCommand, '')
  return unwrapped === text ? text : unwrapped.replaceAll(/[{}]/g, '')
}

/** Makes the vocabulary of a question; later names never take a name from earlier labels. */
export function createVocabulary({ labels = [], aliases = {} }: LabelNames): LabelVocabulary {
  const byKey = new Map<string, string>()
  let [maxSeparators, maxLength] = [0, 0]
  const add = (name: string, label: string): void => {
    const key = normalizeLabel(name)
    if (key === '') return
    if (!byKey.has(key)) byKey.set(key, label)
    maxSeparators = Math.max(maxSeparators, name.match(separator)?.length ?? 0)
    maxLength = Math.max(maxLength, name.length)
  }
  for (const label of labels) add(label, label)
  for (const [label, names] of Object.entries(aliases)) {
    const target = byKey.get(normalizeLabel(label)) ?? label
    for (const name of [label, ...names]) add(name, target)
  }
  const find = (written: string): string | undefined => byKey.get(normalizeLabel(written))
  return { find, keyOf: written => normalizeLabel(find(written) ?? written), maxSeparators, maxLength }
}
