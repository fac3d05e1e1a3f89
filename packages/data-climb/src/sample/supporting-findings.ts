import type { Finding } from './reference.ts'

/** The labels that may be answered, and those of them that mean that nothing was found. */
interface LabelLists {
  readonly labels: readonly string[]
  readonly negativeLabels?: readonly string[]
}

/**
 * Names the boxes of a reference response as its answer: the format reward of eq. 6 asks for a box of every predicted
 * label, and a box named `lesion` supports `Melanoma` only for who knows that it is meant to. A finding that is named as a
 * label stays; another supports every positive label of the answer that has no box of its own, and keeps its name in
 * words. Where nothing positive is answered, findings stay as they are.
 */
export function supportingFindings(
  findings: readonly Finding[],
  answer: readonly string[],
  { labels, negativeLabels = [] }: LabelLists,
): readonly Finding[] {
  const own = findings.map(finding => ({ ...finding, label: labelNamed(finding.label, labels) ?? finding.label }))
  const named = new Set(own.filter(({ box }) => box !== undefined).map(({ label }) => label))
  const unsupported = answer.filter(label => !negativeLabels.includes(label) && !named.has(label))
  if (unsupported.length === 0) return own
  return own.flatMap(finding => {
    if (labels.includes(finding.label) || finding.label === '' || finding.box === undefined) return [finding]
    return unsupported.map((label, i) => supported(finding, label, i === 0))
  })
}

/** The finding under the label that it supports; its description, or else its name, is said once. */
function supported({ description, label: name, box }: Finding, label: string, isFirst: boolean): Finding {
  const said = description ?? withArticle(name.toLowerCase())
  return { label, ...(isFirst && { description: said }), ...(box && { box }) }
}

function labelNamed(name: string, labels: readonly string[]): string | undefined {
  return labels.find(label => label.toLowerCase() === name.toLowerCase())
}

function withArticle(name: string): string {
  return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`
}
