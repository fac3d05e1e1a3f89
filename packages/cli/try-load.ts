import { createOrtExecutor } from '@qoq-med/tensor'
const ex = await createOrtExecutor({ threads: +(process.argv[3] ?? 2) })
let t = performance.now(); let c = process.cpuUsage()
const p2 = await ex.loadFile(process.argv[2]!, { optimization: (process.argv[4] ?? 'all') as never }); c = process.cpuUsage(c); console.log('loaded', performance.now() - t, c)
process.exit(0)
