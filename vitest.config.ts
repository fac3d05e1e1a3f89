import { defineConfig } from 'vitest/config'

/** In CI the runner also writes its own report, from which .ci/run counts. */
const reporters = process.env['CI'] ? ['default', 'json'] : ['default']

export default defineConfig({
  test: {
    projects: ['packages/*', 'tooling'],
    maxWorkers: 2,
    reporters,
    outputFile: { json: '.vitest-report.json' },
  },
})
