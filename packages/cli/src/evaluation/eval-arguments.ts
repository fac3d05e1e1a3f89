import { optionalModel } from '../shipped-model.ts'
import { servingArguments } from '../local-policy.ts'

/** A model behind an endpoint, for evaluating it or for judging. */
export const endpointArguments = {
  endpoint: {
    type: 'string',
    value: 'URL',
    description: 'a server of OpenAI chat completions, such as http://localhost:8000/v1; with --served-model',
  },
  servedModel: { type: 'string', value: 'NAME', description: 'with --endpoint: the name of the model at the server' },
  keyFile: {
    type: 'string',
    value: 'FILE',
    description: 'with --endpoint: file with the key; without it the variable QOQ_API_KEY is used, if it is set',
  },
  concurrency: {
    type: 'number',
    value: 'N',
    integer: true,
    min: 1,
    max: 256,
    default: 4,
    description: 'with --endpoint: requests at a time',
  },
  requestsPerMinute: { type: 'number', value: 'N', min: 1, description: 'with --endpoint: no more than that' },
  retries: {
    type: 'number',
    value: 'N',
    integer: true,
    min: 0,
    max: 100,
    default: 6,
    description: 'with --endpoint: tries after the first one',
  },
  tokenLimitField: {
    type: 'string',
    value: 'NAME',
    choices: ['max_tokens', 'max_completion_tokens'],
    default: 'max_tokens',
    description: 'with --endpoint: how the server calls the limit of tokens',
  },
  prices: {
    type: 'string',
    value: 'IN,OUT',
    description:
      'with --endpoint: what a million tokens of prompts and of answers cost, such as 2.5,10; the sum is printed',
  },
} as const

/** Who is evaluated: a model here, one behind an endpoint, or answers that are there already. */
const whoArguments = {
  model: optionalModel,
  ...endpointArguments,
  ecgAs: {
    type: 'string',
    value: 'FORM',
    choices: ['refuse', 'signal', 'picture'],
    default: 'refuse',
    description: 'with --endpoint: send an ECG as numbers (servers of this project) or drawn as 12-lead strips',
  },
  predictions: {
    type: 'string',
    value: 'FILE',
    description: 'instead: JSON lines that another tool wrote, {"id", "response"} or {"id", "labels"}',
  },
  name: {
    type: 'string',
    value: 'NAME',
    description: 'with --predictions: what to call them; the file name by default',
  },
  missing: {
    type: 'string',
    value: 'HOW',
    choices: ['refuse', 'exclude', 'wrong'],
    default: 'refuse',
    description: 'with --predictions: samples without one stop the command, are left out, or count as wrong',
  },
} as const

/** What is asked. */
const sampleArguments = {
  data: { type: 'strings', value: 'ID=DIR', description: 'dataset and its folder; may be repeated' },
  split: {
    type: 'string',
    value: 'NAME',
    choices: ['train', 'valid', 'test', 'all'],
    default: 'test',
    description: 'part of the datasets',
  },
  maxSamples: {
    type: 'number',
    value: 'N',
    integer: true,
    min: 1,
    description: 'take N samples of each dataset, drawn by the seed and evenly by label',
  },
  inputs: {
    type: 'string',
    value: 'WHICH',
    choices: ['full', 'vision+text', 'ecg+text', 'text'],
    default: 'full',
    description: 'hide modalities and keep the samples (table 3)',
  },
  boxReaders: {
    type: 'string',
    value: 'WHO',
    choices: ['majority', 'one'],
    default: 'majority',
    description: 'whose boxes count where several readers drew some',
  },
  subgroups: {
    type: 'string',
    value: 'FILE',
    description:
      'CSV with a column id, or patient (and dataset, if several have it), and others such as sex and age, each of at most 20 groups: metrics also by subgroup',
  },
  minPatients: {
    type: 'number',
    value: 'N',
    integer: true,
    min: 1,
    default: 20,
    description: 'subgroups of fewer patients are shown and not compared',
  },
} as const

/** How it is answered. */
const answerArguments = {
  answers: {
    type: 'string',
    value: 'HOW',
    choices: ['generate', 'grammar', 'score'],
    default: 'generate',
    description:
      'freely; in the form and with the labels of the question; or labels ranked by their log-probabilities (an endpoint must be a server of this project)',
  },
  maxNewTokens: {
    type: 'number',
    value: 'N',
    integer: true,
    min: 1,
    description: 'tokens of an answer; by default 2,048, or what the model has room for',
  },
  maxPixels: {
    type: 'number',
    value: 'N',
    integer: true,
    min: 784,
    description: 'pixels that a picture is shown with at most (the paper: 524288); by default as the model says',
  },
  temperature: { type: 'number', value: 'T', min: 0, default: 0, description: '0 takes the likeliest token' },
  seed: {
    type: 'number',
    value: 'N',
    integer: true,
    min: 0,
    default: 42,
    description: 'seed of sampling, intervals and the draw of --max-samples',
  },
  batchSize: {
    type: 'number',
    value: 'N',
    integer: true,
    min: 1,
    default: 16,
    description: 'prompts answered at a time, with --model',
  },
} as const

/** How answers are counted. */
const countArguments = {
  balancedAccuracy: {
    type: 'string',
    value: 'READING',
    choices: ['paper', 'recall'],
    default: 'paper',
    description: 'paper: mean label accuracy (eq. 12); recall: mean recall of the labels in the truth',
  },
  labelSet: {
    type: 'string',
    value: 'WHICH',
    choices: ['list', 'truth'],
    default: 'list',
    description: 'labels that count: all of the list, or those that are true somewhere, as the public code has it',
  },
  resamples: {
    type: 'number',
    value: 'N',
    integer: true,
    min: 1,
    default: 1000,
    description: 'redraws of the bootstrap',
  },
  onError: {
    type: 'string',
    value: 'WHAT',
    choices: ['throw', 'skip'],
    default: 'throw',
    description: 'stop at a sample that cannot be read or answered, or leave it out, count and name it',
  },
  onFailure: {
    type: 'string',
    value: 'HOW',
    choices: ['exclude', 'wrong'],
    default: 'exclude',
    description: 'with --on-error skip: samples that failed are left out, or count as wrong; both shares are printed',
  },
  maxFailures: {
    type: 'number',
    value: 'SHARE',
    min: 0,
    max: 1,
    default: 0.05,
    description: 'with --on-error skip: stop when a larger share of the samples (and more than one) cannot be used',
  },
  out: {
    type: 'string',
    value: 'DIR',
    default: 'runs/eval',
    description: 'folder of the results; a killed run goes on from it',
  },
} as const

/** Arguments of `qoq eval`. */
export const evalArguments = {
  ...whoArguments,
  ...sampleArguments,
  ...answerArguments,
  ...countArguments,
  ...servingArguments,
} as const
