// Builds the WebAssembly kernels of the packages from their text: node tooling/wasm/build.ts
// Writes each module, its sha256, and the same bytes as base64 in a TypeScript file, which also survives bundlers.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

interface Wabt {
  parseWat(name: string, text: string, features: object): { toBinary(options: object): { buffer: Uint8Array } }
}

const packages = new URL('../../packages/', import.meta.url)
const modules = [
  { name: 'optim', folder: 'tensor/src/optim/generated/' },
  { name: 'resize', folder: 'encoders/src/vision/generated/' },
] as const

const openWabt = createRequire(new URL('tensor/package.json', packages))('wabt') as () => Promise<Wabt> // require knows no types
const wabt = await openWabt()

for (const { name, folder } of modules) {
  const source = fileURLToPath(new URL(`${name}.wat`, import.meta.url))
  const text = readFileSync(source, 'utf8')
  const { buffer } = wabt.parseWat(`${name}.wat`, text, { simd: true, threads: true }).toBinary({})
  const out = new URL(folder, packages)
  mkdirSync(out, { recursive: true })
  writeFileSync(new URL(`${name}.wasm`, out), buffer)
  writeFileSync(
    new URL(`${name}.wasm.sha256`, out),
    `${createHash('sha256').update(buffer).digest('hex')}  ${name}.wasm\n`,
  )
  writeFileSync(
    new URL(`${name}-wasm.ts`, out),
    `// Built from tooling/wasm/${name}.wat by tooling/wasm/build.ts; do not edit.\nexport const ${name}Wasm: string =\n  '${Buffer.from(buffer).toString('base64')}'\n`,
  )
}
