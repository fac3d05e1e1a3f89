export { defineErrors, type ErrorFactories, type ErrorRow } from './define-errors.ts'
export { HintedError, isHintedError } from './hinted-error.ts'
export { nearestName } from './nearest-name.ts'
export { schemaProblem, type SchemaIssue } from './schema-problem.ts'
