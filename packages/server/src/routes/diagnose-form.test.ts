import { describe, expect, test } from 'vitest'
import { fakePolicy } from '../fake-policy.testing.ts'
import { findingPolicy } from '../finding-policy.testing.ts'
import { contentOf, file, form, labels, post, postForm, seen, whole } from './diagnose.testing.ts'

describe('a form', () => {
  const picture = Buffer.from(file, 'base64')
  test('is answered as the same JSON is', async () => {
    const fromForm = await postForm(
      form(
        [
          ['labels', 'Effusion'],
          ['labels', 'Normal'],
          ['seed', '3'],
        ],
        [['a.dcm', picture]],
      ),
    )
    expect(fromForm.statusCode).toBe(200)
    const fromJson = (await post({ files: [{ data: file }], labels, seed: 3 })).json()
    expect(whole(fromForm.json())).toEqual(whole(fromJson))
    const oneField = await postForm(form([['request', JSON.stringify({ labels, seed: 3 })]], [['a.dcm', picture]]))
    expect(whole(oneField.json())).toEqual(whole(fromJson))
  })

  test('joins a WFDB header with its signal file', async () => {
    const header = 'rec 2 500 5 0\nrec.dat 16 1000(0)/mV 16 0 0 0 0 I\nrec.dat 16 1000(0)/mV 16 0 0 0 0 II\n'
    const signal = Buffer.alloc(2 * 2 * 5)
    const policy = fakePolicy({ words: ['<think>x</think>\\boxed{Normal}'] })
    const response = await postForm(
      form(
        [
          ['labels', 'Normal'],
          ['labels', 'AF'],
        ],
        [
          ['rec.dat', signal],
          ['rec.hea', Buffer.from(header)],
        ],
      ),
      { policy },
    )
    expect(response.json()).toMatchObject({ labels: ['Normal'] })
    expect(contentOf(policy)).toMatchObject([{ type: 'ecg', ecg: { samplingRateHz: 500 } }, { type: 'text' }])
  })

  test('the slices of a DICOM series are seen in their order in the patient', async () => {
    const { encodeDicomFile } = await import('@qoq-med/data-climb')
    const slice = (z: number): Buffer => {
      const pixels = Uint16Array.from({ length: 64 * 64 }, () => z * 100)
      return Buffer.from(
        encodeDicomFile(
          [
            [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.2'],
            [0x00080018, 'UI', `1.2.3.${z + 1}`],
            [0x00080060, 'CS', 'CT'],
            [0x0020000d, 'UI', '1.2.3'],
            [0x0020000e, 'UI', '1.2.4'],
            [0x00200032, 'DS', `0\\0\\${z * 3}`],
            [0x00200037, 'DS', '1\\0\\0\\0\\1\\0'],
            [0x00280002, 'US', 1],
            [0x00280004, 'CS', 'MONOCHROME2'],
            [0x00280010, 'US', 64],
            [0x00280011, 'US', 64],
            [0x00280100, 'US', 16],
            [0x00280101, 'US', 16],
            [0x00280102, 'US', 15],
            [0x00280103, 'US', 0],
            [0x00281050, 'DS', '400'],
            [0x00281051, 'DS', '800'],
            [0x7fe00010, 'OW', new Uint8Array(pixels.buffer)],
          ],
          { sopClassUid: '1.2.840.10008.5.1.4.1.1.2', sopInstanceUid: `1.2.3.${z + 1}`, implementationUid: '1.2' },
        ),
      )
    }
    const shuffled = [5, 2, 7, 0, 3, 6, 1, 4].map(z => [`${z}.dcm`, slice(z)] as const)
    const policy = findingPolicy('Effusion', seen)
    const response = await postForm(
      form(
        [
          ['labels', 'Effusion'],
          ['labels', 'Normal'],
        ],
        shuffled,
      ),
      { policy },
    )
    const body = response.json()
    expect(body.pictures).toMatchObject([1, 3, 5, 7].map(position => ({ position, length: 8 })))
    expect(body.pictures.map((one: { file: number }) => shuffled[one.file]![0])).toEqual([
      '1.dcm',
      '3.dcm',
      '5.dcm',
      '7.dcm',
    ])
    const video = contentOf(policy)[0] as unknown as { type: string; frames: { data: Uint8Array }[] }
    expect(video.type).toBe('video')
    const levels = video.frames.map(({ data }) => data[0]!)
    expect(levels).toEqual(levels.toSorted((a, b) => a - b))
    expect(body.warnings).toContain('looked at 4 of 8 instances of a series')
  })

  test.for<{ name: string; parts: ReturnType<typeof form>; limits?: object; status: number; code: string }>([
    {
      name: 'too many bytes',
      parts: form([], [['a.dcm', picture]]),
      limits: { uploadBytes: 100 },
      status: 413,
      code: 'SERVER_BODY_TOO_LARGE',
    },
    {
      name: 'too many files',
      parts: form(
        [],
        [
          ['a', picture],
          ['b', picture],
        ],
      ),
      limits: { files: 1 },
      status: 400,
      code: 'SERVER_LIMIT_EXCEEDED',
    },
    { name: 'a field that is no JSON', parts: form([['request', '{']], []), status: 400, code: 'SERVER_BODY_NOT_JSON' },
    { name: 'an unknown field', parts: form([['Jane', 'x']], []), status: 400, code: 'SERVER_REQUEST_INVALID' },
    { name: 'a seed that is no number', parts: form([['seed', 'x']], []), status: 400, code: 'SERVER_REQUEST_INVALID' },
    {
      name: 'a form without an edge',
      parts: { ...form([], []), headers: { 'content-type': 'multipart/form-data', 'x-qoq-request': '1' } },
      status: 400,
      code: 'SERVER_FORM_INVALID',
    },
    {
      name: 'a cut form',
      parts: { ...form([], []), payload: Buffer.from('--qoq-edge\r\nContent-Dis') },
      status: 400,
      code: 'SERVER_FORM_INVALID',
    },
    {
      name: 'a form without token',
      parts: { ...form([], []), headers: { 'content-type': 'multipart/form-data; boundary=x' } },
      status: 403,
      code: 'SERVER_FORM_TOKEN',
    },
  ])('refuses $name', async ({ parts, limits = {}, status, code }) => {
    const response = await postForm(parts, { limits })
    expect([response.statusCode, response.json().error.code]).toEqual([status, code])
    expect(response.body).not.toContain('Jane')
  })
})
