import type { Command, CommandGroup } from './command.ts'
import { advantagesCommand } from './commands/advantages.ts'
import { dataGroup } from './commands/data.ts'
import { metricsCommand } from './commands/metrics.ts'
import { rewardsCommand } from './commands/rewards.ts'

/** Every command of `qoq`, in the order of its help. */
export const commandTree: readonly (Command | CommandGroup)[] = [
  advantagesCommand,
  rewardsCommand,
  metricsCommand,
  dataGroup,
]
