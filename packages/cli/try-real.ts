import { createOrtExecutor } from '@qoq-med/tensor'
import { loadFrozenModel, LocalPolicy, openFrozenModel } from '@qoq-med/model'
import { readFileSync } from 'node:fs'
const [folder, type, words = '0', compare = ''] = process.argv.slice(2)
const mem = () => Object.fromEntries(['VmRSS','RssAnon','RssFile','VmHWM'].map(k => [k, Math.round(+(new RegExp(`^${k}:\\s+(\\d+)`,'m').exec(readFileSync('/proc/self/status','utf8'))?.[1] ?? 0)/1024)]))
const t0 = performance.now()
const say = (what: string, more = {}) => console.log(what, ((performance.now() - t0)/1000).toFixed(2), JSON.stringify({ ...mem(), ...more }))
const executor = await createOrtExecutor({ threads: 2 })
const frozen = await openFrozenModel(folder, { weightsType: type as never, cache: { folder: '/tmp/real/cache' } })
say('opened')
const policy = new LocalPolicy({ frozen, executor })
const text = Array.from({ length: +words }, (_, i) => `finding ${i}`).join(' ')
const prompt = policy.model.encode([{ role: 'user', content: 'What is seen? ' + text }])
const run = async (p: LocalPolicy, n = 12) => { const ids: number[] = []; const at: number[] = []; const lp: number[] = []
  for await (const e of p.generate([{ prompt, maxNewTokens: n, temperature: 0 }])) { if (e.type === 'token') at.push(performance.now()); else if (e.type === 'sample-end') ids.push(...e.completion.tokenIds), lp.push(...(e.completion.logprobs ?? [])) }
  return { ids, at, lp } }
await policy.logprobs([{ prompt: policy.model.encode([{role:'user',content:'a'}]), completion: Int32Array.of(1) }]); say('first run')
const s = performance.now(); const got = await run(policy); 
say('answered', { prompt: prompt.tokenIds.length, firstMs: Math.round(got.at[0]! - s), prefillTps: prompt.tokenIds.length / (got.at[0]! - s) * 1000, decodeTps: (got.at.length - 1) / (got.at.at(-1)! - got.at[0]!) * 1000, ids: got.ids.join() })
if (compare) { const m = await loadFrozenModel(folder); const ref = new LocalPolicy({ model: m.model, weights: m.weights, executor, weightsVersion: 'frozen' })
  const want = await run(ref); console.log('want', want.ids.join())
  const seq = [{ prompt, completion: Int32Array.from(want.ids) }]
  console.log(await policy.logprobs(seq), await ref.logprobs(seq))
  const [a, b] = [await policy.logits([prompt]), await ref.logits([prompt])]
  let worst = 0; a[0]!.forEach((v, i) => worst = Math.max(worst, Math.abs(v - b[0]![i]!))); console.log('worst logit', worst)
  await ref.close() }
await policy.close(); await frozen.close(); await executor.close()
