import { describe, expect, test } from 'vitest'
import { createOutput, printable, toJson } from './command-output.ts'

describe('what people are shown', () => {
  test.for([
    ['a\u0000b', 'a\\x00b'],
    ['\u001B[31mred\u001B[0m', '\\x1b[31mred\\x1b[0m'],
    ['bell\u0007', 'bell\\x07'],
    ['\u009B2J', '\\x9b2J'],
    ['back\b\b', 'back\\x08\\x08'],
    ['\u202Eright to left', '\\x202eright to left'],
    ['line\nand\ttab', 'line\nand\ttab'],
    ['é ≥ 心電図', 'é ≥ 心電図'],
  ])('%j becomes %j', ([text, shown]) => {
    expect(printable(text!)).toBe(shown)
  })

  test('JSON has no control character either, and the same values', () => {
    const values = { '\u009B2J': ['\u007F', '\u001B[31m', '\u202Eabc', 'é ≥ 心電図'] }
    expect(toJson(values)).not.toMatch(/[\p{Cc}\u2028-\u202E]/u)
    expect(JSON.parse(toJson(values))).toEqual(values)
  })

  test('a progress line is taken back before a result', () => {
    let [out, err] = ['', '']
    const stdout = { write: (text: string) => void (out += text) }
    const stderr = { write: (text: string) => void (err += text), isTTY: true, columns: 80 }
    const output = createOutput({ stdout, stderr }, { json: false, verbose: false })
    output.progress('Reading 3 of 4')
    output.result({}, () => 'Answer: \u0007 done')
    expect(err.endsWith('\r\u001B[J')).toBe(true)
    expect(out).toBe('Answer: \\x07 done\n')
  })
})
