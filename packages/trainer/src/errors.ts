import { defineErrors } from '@qoq-med/errors'

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 1)} GB`
}

/** A value of a configuration, for a sentence. */
function shown(value: unknown): string {
  const text = value === undefined ? 'left out' : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

/** What can go wrong in `trainer`. */
export const trainerErrors = defineErrors('TRAINER', {
  CONFIG_FIELD: {
    message: (p: { field: string; reason: string }) => `The configuration field ${p.field} is wrong: ${p.reason}.`,
    hint: p => `Correct ${p.field} in the configuration file or in --set.`,
  },
  CONFIG_UNKNOWN: {
    message: (p: { field: string; nearest?: string | undefined }) =>
      `The configuration has no field ${p.field}${p.nearest ? `; is ${p.nearest} meant?` : '.'}`,
    hint: p => (p.nearest ? `Write ${p.nearest} or remove the field.` : 'Remove the field or correct its name.'),
  },
  CONFIG_SYNTAX: {
    message: (p: { file: string; reason: string }) => `The configuration ${p.file} is not valid YAML: ${p.reason}.`,
    hint: () => 'Check indentation and quotes at the place that is named.',
  },
  CONFIG_MISSING: {
    message: (p: { file: string }) => `There is no configuration file ${p.file}.`,
    hint: () => 'Pass the path of a YAML file, for example examples/spine.yaml.',
  },
  OVERRIDE: {
    message: (p: { override: string }) =>
      `The override "${p.override}" is not of the form path=value with a value in YAML.`,
    hint: () => 'Write for example --set stages.1.steps=20.',
  },
  RUN_EXISTS: {
    message: (p: { folder: string }) => `The run folder ${p.folder} already holds a run.`,
    hint: () => 'Choose another folder with --out, continue it with --resume, or remove it.',
  },
  RUN_BUSY: {
    message: (p: { folder: string; pid: number }) => `The run folder ${p.folder} is in use by the process ${p.pid}.`,
    hint: () => 'Wait for it or stop it; if that process is no training run, remove run.lock from the folder.',
  },
  FOLDER_TAKEN: {
    message: (p: { folder: string; reason: string }) => `The run cannot be written to ${p.folder}: ${p.reason}.`,
    hint: () => 'Choose another folder with --out.',
  },
  NO_RUN: {
    message: (p: { folder: string }) => `The folder ${p.folder} holds no run.`,
    hint: () => 'Pass a folder that `qoq train` wrote, one with a run.json; a new run starts without --resume.',
  },
  NO_ROLLOUT: {
    message: (p: { folder: string; stage: string; step: number; sample: number; kept: string }) =>
      `The run in ${p.folder} has not kept sample ${p.sample} of step ${p.step} of the stage ${p.stage}.`,
    hint: p => `It has ${p.kept}; keptRollouts in the configuration decides how many of a step are kept.`,
  },
  NO_TRACES: {
    message: (p: { folder: string }) => `The run in ${p.folder} has kept no answer.`,
    hint: () =>
      'Stages of reinforcement learning keep answers; keptRollouts in the configuration decides how many of a step.',
  },
  RESUME_CONFIG: {
    message: (p: { folder: string; field: string; before: unknown; after: unknown; reason: string }) =>
      `The run in ${p.folder} was started with ${p.field} ${shown(p.before)} and cannot go on with ${shown(p.after)}: ${p.reason}.`,
    hint: () =>
      'Resume with the configuration that started it, or choose another folder with --out. A resumed run may have more steps (--set stages.N.steps=M, of a stage that is not over) and another keep.',
  },
  CHECKPOINT: {
    message: (p: { folder: string; reason: string }) => `The checkpoint ${p.folder} cannot be used: ${p.reason}.`,
    hint: () => 'Resume from another checkpoint of the run, or start the run anew.',
  },
  NO_SAMPLES: {
    message: (p: { stage: string; filter: string }) => `The stage ${p.stage} has no training samples${p.filter}.`,
    hint: () => "Check data.sources and the stage's domains; `qoq data list` names the datasets.",
  },
  REWARD_FAILED: {
    message: (p: { reward: string; reason: string }) => `The reward ${p.reward} does not work: ${p.reason}`,
    hint: () => 'Mend the reward; `qoq rewards --weights` scores a single response with it.',
  },
  RESUME_DATA: {
    message: (p: { folder: string; what: string }) => `The run in ${p.folder} was started with other data: ${p.what}.`,
    hint: () =>
      'Resume with the data that started it. Where only times of change differ, start runs with data.fingerprint: hash.',
  },
  CHECKPOINT_DAMAGED: {
    message: (p: { folder: string; file: string; good?: string | undefined }) =>
      `The checkpoint ${p.folder} is damaged: ${p.file} is not what was written.`,
    hint: p =>
      p.good === undefined
        ? 'No earlier checkpoint is whole: start the run anew in another folder.'
        : `Remove the folder to resume from the last good one, ${p.good}.`,
  },
  DISK_FULL: {
    message: (p: { path: string; kept: string }) => `The disk is full: ${p.path} could not be written; ${p.kept}.`,
    hint: () => 'Free some space and run the same command with --resume.',
  },
  MEMORY_SHORT: {
    message: (p: { stage: string; bytes: number; available: number; fits?: readonly string[]; least?: number }) =>
      `The stage ${p.stage} takes about ${gigabytes(p.bytes)}, but ${gigabytes(p.available)} are free.`,
    hint: p =>
      p.fits === undefined
        ? `It takes ${gigabytes(p.least ?? p.bytes)} at least: free memory, or train a smaller model.`
        : `It fits with ${p.fits.map(each => `--set "${each}"`).join(' ')}.`,
  },
  NOT_FINITE: {
    message: (p: { what: string; stage: string; step: number; where: string }) =>
      `The ${p.what} is not finite in step ${p.step} of the stage ${p.stage} (${p.where}).`,
    hint: () => 'Lower the learning rate or look at the named sample; the last checkpoint is whole.',
  },
  LOGPROB_GAP: {
    message: (p: { gap: number; limit: number; stage: string; step: number; sample: string }) =>
      `Sampler and trainer differ by ${p.gap.toPrecision(3)} in the log-probability of a token, more than ${p.limit}, in step ${p.step} of the stage ${p.stage} (sample ${p.sample}).`,
    hint: () => 'Raise logprobGap.limit if the difference is rounding; else report it: it should stay below 1e-3.',
  },
  TOO_LONG: {
    message: (p: { sample: string; tokens: number; limit: number }) =>
      `The sample ${p.sample} takes ${p.tokens} tokens, more than the limit of ${p.limit}.`,
    hint: () => 'Raise data.maxPromptTokens, lower data.maxPixels, or shorten the prompt.',
  },
  ABORTED: {
    message: (p: { step: number; stage: string; folder: string }) =>
      `The run was stopped after step ${p.step} of the stage ${p.stage}; it is saved in ${p.folder}.`,
    hint: () => 'Continue it with --resume.',
  },
  ENGINE_FIELD: {
    message: (p: { engine: string; field: string; reason: string }) =>
      `The engine ${p.engine} cannot do what ${p.field} asks: it ${p.reason}.`,
    hint: p => `Change ${p.field}, or train with \`engine: local\`.`,
  },
  ENGINE_MISSING: {
    message: (p: { engine: string; what: string; tried: string }) =>
      `The engine ${p.engine} needs ${p.what}, which is not there; tried: ${p.tried}.`,
    hint: () =>
      'See docs/guides/train-on-a-cluster.md for what to install, and set `cluster.python` or QOQ_CLUSTER_PYTHON.',
  },
  ENGINE_AWAY: {
    message: (p: { address: string; reason: string }) => `Ray does not answer at ${p.address}: ${p.reason}.`,
    hint: () => 'Check `cluster.ray` and that the head runs (`ray status`); with authentication set RAY_AUTH_TOKEN.',
  },
  ENGINE_FAILED: {
    message: (p: { engine: string; job: string; step: number; log: string }) =>
      `The ${p.engine} job ${p.job} ended after step ${p.step} without a model; its log is ${p.log}.`,
    hint: () => 'The last lines of the log say why; mend that and train again into a new folder.',
  },
  ENGINE_DIFFERS: {
    message: (p: { step: number; what: string; rollout: number }) =>
      `Step ${p.step}: the engine trained with another ${p.what} of rollout ${p.rollout} than this program makes.`,
    hint: () => 'Server, plug-in and this program must be of one version, and the data must not have changed.',
  },
  ENGINE_MODEL: {
    message: (p: { engine: string; job: string; place: string }) =>
      `The ${p.engine} job ${p.job} has trained; its model lies in ${p.place}, which this machine does not see.`,
    hint: () =>
      'Copy that folder here and open it with `qoq ask --model`, or set `cluster.folder` to one that both share.',
  },
  JOB_STOPPED: {
    message: (p: { engine: string; job: string; step: number }) =>
      `The ${p.engine} job ${p.job} was stopped after step ${p.step}.`,
    hint: () => 'Its checkpoints are in the folder of the job; train again into a new run folder.',
  },
  JOB_LEFT: {
    message: (p: { engine: string; job: string; step: number }) =>
      `The ${p.engine} job ${p.job} goes on after step ${p.step} without this process.`,
    hint: () =>
      'Follow it again with --attach, before it has waited `cluster.patience` seconds for its server of rewards.',
  },
  NO_JOB: {
    message: (p: { folder: string; engine: string }) =>
      `The run folder ${p.folder} names no job of the engine ${p.engine}.`,
    hint: () => 'Pass --out with the folder of a run that was started with this engine.',
  },
})
