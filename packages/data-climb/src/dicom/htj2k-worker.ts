// A thread that decodes high-throughput JPEG 2000 by OpenJPH, which loops for ever on some damaged streams: a thread can be ended.
import { parentPort } from 'node:worker_threads'
// Other packages compile this source too, and do not see ambient declarations on their own.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./codec-modules.d.ts" />
import createOpenJph from '@cornerstonejs/codec-openjph/wasmjs'
import { runDecoder } from './cornerstone-decoders.ts'

const { HTJ2KDecoder } = await createOpenJph({ print: () => undefined, printErr: () => undefined })

parentPort?.on('message', (stream: Uint8Array) => {
  try {
    parentPort?.postMessage(runDecoder(new HTJ2KDecoder(), stream), [])
  } catch {
    parentPort?.postMessage('failed', [])
  }
})
