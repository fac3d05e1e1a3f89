import { describe, expect, test } from 'vitest'
import { dataErrors } from '../errors.ts'
import { FailureLedger } from './failure-ledger.ts'

const fail = async (): Promise<string> => {
  throw dataErrors.IMAGE_UNREADABLE({ problem: 'it is cut off' })
}
const give = async () => 'pixels'

const broken = async () => {
  throw new TypeError('x is not a function')
}

describe('FailureLedger', () => {
  test('leaves failing samples out, counts each once and names them', async () => {
    const ledger = new FailureLedger({ total: 100 })
    const seen = [
      await ledger.attempt('a', give),
      await ledger.attempt('b', fail),
      await ledger.attempt('b', give),
      await ledger.attempt('c', fail),
    ]
    expect(seen).toEqual(['pixels', undefined, undefined, undefined])
    expect(ledger.failed.map(({ id, code }) => [id, code])).toEqual([
      ['b', 'DATA_IMAGE_UNREADABLE'],
      ['c', 'DATA_IMAGE_UNREADABLE'],
    ])
  })

  test.for([
    { total: 100, maxShare: 0.05, allowed: 5 },
    { total: 3, maxShare: 0.05, allowed: 1 },
    { total: 10, maxShare: 0, allowed: 1 },
    { total: 4, maxShare: 1, allowed: 4 },
  ])('lets $allowed of $total fail at a share of $maxShare, and no more', async ({ total, maxShare, allowed }) => {
    const ledger = new FailureLedger({ total, maxShare })
    for (let i = 0; i < allowed; i++) await ledger.attempt(`${i}`, fail)
    await expect(ledger.attempt('more', fail)).rejects.toMatchObject({
      code: 'DATA_TOO_MANY_FAILURES',
      cause: { code: 'DATA_IMAGE_UNREADABLE' },
    })
  })

  test('goes on from those that failed before', async () => {
    const failed = [{ id: 'a', code: 'DATA_IMAGE_UNREADABLE', message: 'It is cut off.' }]
    const ledger = new FailureLedger({ total: 100, failed })
    expect(await ledger.attempt('a', give)).toBeUndefined()
    expect(ledger.failed).toEqual(failed)
  })

  test('does not hide faults of the program', async () => {
    const ledger = new FailureLedger({ total: 10 })
    await expect(ledger.attempt('a', broken)).rejects.toThrow(TypeError)
  })

  test.for([-0.1, 1.1, Number.NaN])('refuses a share of %s', maxShare => {
    expect(() => new FailureLedger({ total: 1, maxShare })).toThrow(
      expect.objectContaining({ code: 'DATA_OPTION_INVALID' }),
    )
  })
})
