import type { Command, CommandGroup } from './command.ts'
import { advantagesCommand } from './commands/advantages.ts'
import { askCommand } from './commands/ask.ts'
import { benchCommand } from './commands/bench.ts'
import { compareCommand } from './commands/compare.ts'
import { dataGroup } from './commands/data.ts'
import { demoCommand } from './commands/demo.ts'
import { evalCommand } from './commands/eval.ts'
import { explainCommand } from './commands/explain.ts'
import { experimentGroup } from './commands/experiment.ts'
import { exportGroup } from './commands/export.ts'
import { keysGroup } from './commands/keys.ts'
import { metricsCommand } from './commands/metrics.ts'
import { modelGroup } from './commands/model.ts'
import { reportCommand } from './commands/report.ts'
import { rewardsCommand } from './commands/rewards.ts'
import { serveCommand } from './commands/serve.ts'
import { trainCommand } from './commands/train.ts'

/** Every command of `qoq`, in the order of its help. */
export const commandTree: readonly (Command | CommandGroup)[] = [
  demoCommand,
  trainCommand,
  reportCommand,
  explainCommand,
  exportGroup,
  evalCommand,
  compareCommand,
  experimentGroup,
  askCommand,
  serveCommand,
  keysGroup,
  dataGroup,
  modelGroup,
  advantagesCommand,
  rewardsCommand,
  metricsCommand,
  benchCommand,
]
