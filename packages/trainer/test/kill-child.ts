// A run in a process of its own, for tests that kill it:
//   node --conditions=@qoq-med/source packages/trainer/test/kill-child.ts BASE_FOLDER RUN_FOLDER CONFIG_JSON
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseConfig, train } from '../src/index.ts'

const [baseFolder = '.', out = 'run', config = '{}'] = process.argv.slice(2)
await train(parseConfig(JSON.parse(config)), { baseFolder, out, resume: existsSync(join(out, 'run.json')) })
