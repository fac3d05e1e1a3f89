import { spawnSync } from 'node:child_process'

/** The Python to use: the variable QOQ_PYTHON, or `python3`. */
export const python: string = process.env.QOQ_PYTHON ?? 'python3'

/** Tells whether Python can import packages. */
function canImport(...packages: readonly string[]): boolean {
  return spawnSync(python, ['-c', `import ${packages.join(', ')}`], { timeout: 120_000 }).status === 0
}

/** Why tests that need transformers are skipped, or undefined when Python has it. */
export const missingTransformers: string | undefined = canImport('torch', 'transformers', 'safetensors')
  ? undefined
  : `${python} has no torch, transformers and safetensors (set QOQ_PYTHON)`

/** Why tests that need PEFT too are skipped, or undefined when Python has it. */
export const missingPeft: string | undefined =
  missingTransformers ?? (canImport('peft') ? undefined : `${python} has no peft (set QOQ_PYTHON)`)
