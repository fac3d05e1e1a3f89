import { expect, test } from 'vitest'
import { HintedError } from './hinted-error.ts'
import { receivedError, sentError } from './sent-error.ts'

test('an error with a code is the same behind a message, without its cause', () => {
  const error = new HintedError('A_CODE', 'It failed.', 'Try again.', { cause: new Error('secret'), status: 413 })
  const received = receivedError(structuredClone(sentError(error)))
  expect(received).toMatchObject({ name: 'HintedError', code: 'A_CODE', hint: 'Try again.', status: 413 })
  expect(received.message).toBe('It failed.')
  expect(received.cause).toBeUndefined()
})

test('an error without a code says where it was thrown; what is no error becomes its words', () => {
  const error = new RangeError('too far')
  expect(receivedError(structuredClone(sentError(error)))).toMatchObject({ message: 'too far', stack: error.stack })
  expect(receivedError(sentError('words')).message).toBe('words')
})
