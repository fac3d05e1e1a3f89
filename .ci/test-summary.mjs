// Prints skipped and failed tests of a vitest JSON report, then "N passed, N failed, N skipped" as the last line.
// Plain JavaScript: it runs under the machine's own Node (20 or later). Exit code 1 where something failed.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

/** Reads the report; without one the run never came to its tests, which counts as one failure. */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    console.log(`There is no test report: ${error.message}`)
    return { testResults: [{ name: file, status: 'failed', message: 'no report', assertionResults: [] }] }
  }
}

const counts = { passed: 0, failed: 0, skipped: 0 }
for (const { name, status, message, assertionResults } of readReport(process.argv[2]).testResults) {
  const file = relative(process.cwd(), name)
  // A file that cannot be loaded has no tests to fail, but has failed.
  if (status === 'failed' && !assertionResults.some(test => test.status === 'failed')) {
    counts.failed++
    console.log(`failed:  ${file}: ${String(message || 'the file as a whole; see above').split('\n')[0]}`)
  }
  for (const test of assertionResults) {
    const outcome = test.status === 'passed' || test.status === 'failed' ? test.status : 'skipped'
    counts[outcome]++
    // A skipped test says why in its name.
    if (outcome !== 'passed') console.log(`${outcome}: ${file}: ${test.fullName}`)
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1
