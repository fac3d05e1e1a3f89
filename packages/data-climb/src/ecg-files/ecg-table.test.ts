import { describe, expect, test } from 'vitest'
import { readEcg } from './read-ecg.ts'

const read = (text: string, options: Parameters<typeof readEcg>[1] = {}) =>
  readEcg({ name: 'table.csv', bytes: Buffer.from(text) }, options)

/** Rows of a time in rounded seconds, and a sample. */
const roundedTimes = (hertz: number) =>
  Array.from({ length: 3600 }, (_, i) => `${(i / hertz).toFixed(3)},${i % 7}`).join('\n')

/** 500 samples a second, in three rows; lead I is 0, 0.5 and -0.25 mV. */
const tables: readonly {
  readonly name: string
  readonly text: string
  readonly options?: Parameters<typeof readEcg>[1]
}[] = [
  { name: 'units in brackets', text: 'time (s),I (mV),V1 (mV)\n0,0,1\n0.002,0.5,1\n0.004,-0.25,1\n' },
  { name: 'microvolts and milliseconds', text: 't [ms],I [uV],V1 [µV]\n0,0,1000\n2,500,1000\n4,-250,1000\n' },
  { name: 'underscores', text: 'time_s,I_mV,V1_mV\n0,0,1\n.002,.5,1\n.004,-.25,1\n' },
  { name: 'comments', text: '# fs: 500\n# unit: mV\nI,V1\n0,1\n0.5,1\n-0.25,1\n' },
  {
    name: 'other comments',
    text: '#Sampling rate (Hz)=500\n#units=uV\nsample,I,V1\n0,0,1000\n1,500,1000\n2,-250,1000\n',
  },
  { name: 'options', text: 'I,V1\n0,1\n0.5,1\n-0.25,1\n', options: { samplingRateHz: 500, unit: 'mV' } },
  { name: 'semicolons and decimal commas', text: 'time (s);I (mV);V1 (mV)\n0;0;1\n0,002;0,5;1\n0,004;-0,25;1\n' },
  {
    name: 'tabs, Windows line ends and a mark',
    text: '\uFEFFseconds\tI (mV)\tV1 (mV)\r\n0\t0\t1\r\n0.002\t0.5\t1\r\n0.004\t-0.25\t1\r\n',
  },
  {
    name: 'quotes, an unnamed counter and other spellings',
    text: ',"time (s)","Lead I (mV)","ECG V1 (mV)"\n0,0,0,1\n1,2e-3,5e-1,1\n2,4e-3,-2.5e-1,1\n',
  },
  {
    name: "a row of units and a clock, as PhysioNet's tools write it",
    text: "'Elapsed time','I','V1'\n'hh:mm:ss.mmm','mV','uV'\n'0:00.000',0,1000\n'0:00.002',0.5,1000\n'0:00.004',-0.25,1000\n",
  },
  {
    name: 'a row of units and hours',
    text: 'time,I,V1\ns,uV,mV\n1:02:03.998,0,1\n1:02:04.000,500,1\n1:02:04.002,-250,1\n',
  },
]

describe('a table of leads', () => {
  test.for(tables)('with $name', async ({ text, options }) => {
    const { leads, samplingRateHz, signalMv } = await read(text, options)
    expect([leads, samplingRateHz]).toEqual([['I', 'V1'], 500])
    expect(Array.from(signalMv[0]!)).toEqual([0, 0.5, -0.25])
    expect(Array.from(signalMv[1]!)).toEqual([1, 1, 1])
  })

  test('leaves channels that are no voltage out, and bridges empty cells', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i * 2},${i === 7 ? '' : i},80`)
    const { leads, signalMv, warnings } = await read(`time_ms,II (mV),pulse (bpm)\n${rows.join('\n')}\n`)
    expect(leads).toEqual(['II'])
    expect(signalMv[0]![7]).toBe(7)
    expect(warnings).toContain('1 channels are not in volts and were left out')
  })

  test('of rounded times has the whole rate that they allow, and no other', async () => {
    await expect(read(`time (s),I (mV)\n${roundedTimes(360)}\n`)).resolves.toMatchObject({ samplingRateHz: 360 })
    const { samplingRateHz } = await read(`time (s),I (mV)\n${roundedTimes(257.5)}\n`)
    expect(samplingRateHz).toBeCloseTo(257.5, 1)
  })

  test('with - for a missing sample bridges it', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `'0:00.${String(i * 2).padStart(3, '0')}',${i === 7 ? '-' : i}`)
    const { signalMv } = await read(`'Elapsed time','II'\n'hh:mm:ss.mmm','mV'\n${rows.join('\n')}\n`)
    expect(signalMv[0]![7]).toBe(7)
  })

  test.for([
    {
      name: 'a clock that is none',
      text: "'Elapsed time','I'\n'hh:mm:ss','mV'\n'0:00.0',1\n'0:x',1\n",
      code: 'DATA_ECG_INVALID',
    },
    { name: 'a row of units alone', text: "'Elapsed time','I'\n'hh:mm:ss','mV'\n", code: 'DATA_ECG_INVALID' },
    { name: 'no unit', text: '# fs: 500\nI,II\n1,2\n', code: 'DATA_ECG_UNIT_MISSING' },
    { name: 'no sampling rate', text: 'I (mV),II (mV)\n1,2\n', code: 'DATA_ECG_RATE_MISSING' },
    { name: 'times without a unit', text: 'time,I (mV)\n0,1\n2,1\n', code: 'DATA_ECG_INVALID' },
    { name: 'times in unequal steps', text: 'time (s),I (mV)\n0,1\n0.002,1\n0.01,1\n', code: 'DATA_ECG_INVALID' },
    { name: 'times that stand still', text: 'time (s),I (mV)\n1,1\n1,1\n', code: 'DATA_ECG_INVALID' },
    { name: 'a word among the numbers', text: '# fs: 500\nI (mV),II (mV)\n1,x\n', code: 'DATA_ECG_INVALID' },
    { name: 'no rows', text: '# fs: 500\nI (mV),II (mV)\n', code: 'DATA_ECG_INVALID' },
    { name: 'a sampling rate of zero', text: '# fs: 0\nI (mV),II (mV)\n1,2\n', code: 'DATA_ECG_INVALID' },
    { name: 'an unfinished quote', text: '# fs: 500\nI (mV),II (mV)\n"1,2\n', code: 'DATA_ECG_INVALID' },
    { name: 'no lead', text: 'a,b\n1,2\n', code: 'DATA_FORMAT_UNKNOWN' },
  ])('with $name is refused', async ({ text, code }) => {
    await expect(read(text)).rejects.toMatchObject({ code })
  })
})
