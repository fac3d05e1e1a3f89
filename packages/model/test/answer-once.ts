// Scores one long answer with packed weights and prints the most memory that this took, in bytes: run by memory-plan.test.ts.
import { createOrtExecutor } from '@qoq-med/tensor'
import { openPackedModel } from '../src/folder/packed-model.ts'
import { LocalPolicy } from '../src/policy/local-policy.ts'
import { textPrompt } from './prompts.ts'

const [folder = '', cache = '', weightsType = ''] = process.argv.slice(2)
const packed = await openPackedModel(folder, {
  weightsType: weightsType === 'int8' ? 'int8' : 'int4',
  cache: { folder: cache },
})
const executor = await createOrtExecutor()
const policy = new LocalPolicy({ packed, executor })
const prompt = textPrompt(Int32Array.from({ length: 600 }, (_, i) => (i * 31) % 30_000))
await policy.logprobs([{ prompt, completion: Int32Array.of(1, 2, 3, 4) }])
await policy.close()
await packed.close()
await executor.close()
console.log(process.resourceUsage().maxRSS * 1024)
