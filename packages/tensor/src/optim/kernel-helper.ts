// A thread that helps the optimizer. It is started as a file of its own, also straight from the sources under Node's type
// stripping, and therefore imports nothing but Node and files beside it.
import { workerData } from 'node:worker_threads'
import { KernelJob, type HelperData } from './kernel-job.ts'
import { kernelsOf } from './kernels.ts'

const data = workerData as HelperData // set by parallel-kernels.ts
const job = new KernelJob(kernelsOf(data.memory), data)
for (let generation = 0; ;) generation = job.help(generation)
