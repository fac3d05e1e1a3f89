import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { EvaluationResults } from '@qoq-med/eval'
import { z } from 'zod'
import { mean } from '../mean.ts'
import type { ExperimentDefinition } from './experiment-definition.ts'

const Row = z.object({ key: z.string(), sex: z.string(), age: z.number() })

/** The table of the judged patients' sex and age, for `qoq eval --subgroups`. */
export function groupsFile(out: string): string {
  return path.join(out, 'judged-groups.csv')
}

/** Writes the sex and age of the simulated patients that judge. */
export async function writeJudgedGroups(
  { domains }: ExperimentDefinition,
  clinic: string,
  file: string,
): Promise<void> {
  if (existsSync(file)) return
  const lines = await Promise.all(
    domains.map(async domain => {
      const text = await readFile(path.join(clinic, domain, 'index.jsonl'), 'utf8')
      return text
        .trim()
        .split('\n')
        .map(line => Row.parse(JSON.parse(line)))
        .map(({ key, sex, age }) => `mini_clinic_${domain}/${key},${sex},${age}`)
    }),
  )
  await writeFile(file, `${['id,sex,age', ...lines.flat()].join('\n')}\n`)
}

/** The attribute that `qoq eval` makes of both. */
const bothGroups = 'sex and age'

/** Macro-F1 of the group by sex and age that is served worst: mean over datasets; nothing where groups are not known. */
export function worstGroupF1({ fairness }: EvaluationResults): number | undefined {
  const byGroup = new Map<string, number[]>()
  for (const { attributes } of Object.values(fairness?.datasets ?? {}))
    for (const [name, { f1 }] of Object.entries(attributes[bothGroups]?.groups ?? {}))
      byGroup.set(name, [...(byGroup.get(name) ?? []), f1])
  return byGroup.size === 0 ? undefined : Math.min(...[...byGroup.values()].map(mean))
}
