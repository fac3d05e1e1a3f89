// Builds the WebAssembly kernels of packages/tensor from their text: node tooling/wasm/build.ts
// Writes the module, its sha256, and the same bytes as base64 in a TypeScript file, which also survives bundlers.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

interface Wabt {
  parseWat(name: string, text: string, features: object): { toBinary(options: object): { buffer: Uint8Array } }
}

const tensor = new URL('../../packages/tensor/', import.meta.url)
const out = new URL('src/optim/generated/', tensor)
const source = fileURLToPath(new URL('optim.wat', import.meta.url))

const openWabt = createRequire(new URL('package.json', tensor))('wabt') as () => Promise<Wabt> // require knows no types
const wabt = await openWabt()
const { buffer } = wabt.parseWat('optim.wat', readFileSync(source, 'utf8'), { simd: true, threads: true }).toBinary({})
const base64 = Buffer.from(buffer).toString('base64')
writeFileSync(new URL('optim.wasm', out), buffer)
writeFileSync(new URL('optim.wasm.sha256', out), `${createHash('sha256').update(buffer).digest('hex')}  optim.wasm\n`)
writeFileSync(
  new URL('optim-wasm.ts', out),
  `// Built from tooling/wasm/optim.wat by tooling/wasm/build.ts; do not edit.\nexport const optimWasm: string =\n  '${base64}'\n`,
)
