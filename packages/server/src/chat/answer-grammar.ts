import { reasonedLabels, type Grammar, type Policy } from '@qoq-med/model'
import { serverErrors } from '../errors.ts'
import type { ChatRequest } from './chat-request.ts'
import { schemaGrammar } from './schema-grammar.ts'

/**
 * What the answers to a request are held to: a JSON schema, or labels.
 *
 * @throws SERVER_SCHEMA_UNSUPPORTED also where the policy, being elsewhere, cannot hold an answer to anything
 */
export function answerGrammar(body: ChatRequest, policy: Policy): { readonly grammar?: Grammar } {
  const { response_format: format, labels } = body
  const isSchema = format?.type === 'json_schema'
  if (!isSchema && !labels) return {}
  if (isSchema && labels) throw serverErrors.SCHEMA_UNSUPPORTED({ what: 'labels beside a schema' })
  if (!policy.tokenIds)
    throw serverErrors.SCHEMA_UNSUPPORTED({ what: 'a form of answers, since the model is elsewhere' })
  return { grammar: isSchema ? schemaGrammar(format.json_schema.schema) : reasonedLabels(labels ?? []) }
}
