import { defineErrors } from '@qoq-med/errors'

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`
const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`

/** Errors of checkpoints, configs, tokenizers, prompts and generation; every code begins with `MODEL_`. */
export const modelErrors = defineErrors('MODEL', {
  SAFETENSORS_INVALID: {
    message: (p: { file: string; problem: string }) => `${p.file} is not a valid safetensors file: ${p.problem}.`,
    hint: () => 'Download or write the file again; compare its size with the source.',
  },
  PTH_INVALID: {
    message: (p: { file: string; problem: string }) =>
      `${p.file} is not a PyTorch checkpoint that can be read: ${p.problem}.`,
    hint: () => 'Save the state dict again with torch.save (PyTorch 1.6 or later), or convert it to safetensors.',
  },
  GGUF_INVALID: {
    message: (p: { file: string; problem: string }) => `${p.file} is not a GGUF file that can be read: ${p.problem}.`,
    hint: () =>
      'Use a GGUF file of version 2 or 3 in F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K or Q6_K, and fetch it again if it is damaged.',
  },
  FILE_CHANGED: {
    message: (p: { wanted: number; found: number }) =>
      `A file of weights became shorter while it was read: ${p.wanted} bytes were there, now ${p.found} are.`,
    hint: () => 'Let whatever writes the checkpoint finish, then start again.',
  },
  DTYPE_UNSUPPORTED: {
    message: (p: { file: string; tensor: string; dtype: string; wanted: string }) =>
      `Tensor ${p.tensor} of ${p.file} has the element type ${p.dtype}; ${p.wanted} can be read here.`,
    hint: () => 'Convert the checkpoint to F32, F16 or BF16.',
  },
  FOLDER_INVALID: {
    message: (p: { folder: string; problem: string }) => `${p.folder} is not a model folder: ${p.problem}.`,
    hint: () => 'A model folder has config.json, tokenizer.json and model.safetensors (or its shards and their index).',
    status: 500, // of the served model, never of a request
  },
  CONFIG_INVALID: {
    message: (p: { file: string; field: string; problem: string }) => `${p.file}: ${p.field} ${p.problem}.`,
    hint: p => `Correct ${p.field}, or take config.json from the source of the checkpoint.`,
  },
  CONFIG_UNSUPPORTED: {
    message: (p: { file: string; field: string; value: string; supported: string }) =>
      `${p.file}: ${p.field} is ${p.value}; this decoder supports ${p.supported}.`,
    hint: () => 'Use a Qwen2, Qwen2.5-VL, QoQ-Med or Llama-style checkpoint with plain or multimodal rotary positions.',
  },
  TENSOR_MISSING: {
    message: (p: { source: string; tensor: string; shape: readonly number[]; others?: number }) =>
      `${p.source} has no tensor ${p.tensor}; the config expects it with shape ${shapeText(p.shape)}` +
      `${p.others ? `, and ${p.others} more that are missing too` : ''}.`,
    hint: () => 'The checkpoint is incomplete or its config.json belongs to another model; fetch both again.',
  },
  TENSOR_UNEXPECTED: {
    message: (p: { source: string; tensor: string; shape: readonly number[]; nearest: string | undefined }) =>
      `${p.source} has a tensor ${p.tensor} with shape ${shapeText(p.shape)} that the config does not know` +
      `${p.nearest === undefined ? '' : `; the nearest known name is ${p.nearest}`}.`,
    hint: () =>
      'Check that config.json belongs to this checkpoint (model_type, number of layers, vision and ECG parts).',
  },
  TENSOR_SHAPE: {
    message: (p: { source: string; tensor: string; expected: readonly number[]; found: readonly number[] }) =>
      `Tensor ${p.tensor} of ${p.source} has shape ${shapeText(p.found)}; the config expects ${shapeText(p.expected)}.`,
    hint: () => 'Check that config.json belongs to this checkpoint (hidden size, heads, vocabulary).',
  },
  LORA_INVALID: {
    message: (p: { problem: string }) => `The model cannot be adapted so: ${p.problem}.`,
    hint: () =>
      'Give rank, alpha, dropout and targets such as q_proj or model.layers.*.mlp.*; README.md explains them.',
  },
  ADAPTER_INVALID: {
    message: (p: { folder: string; problem: string }) =>
      `${p.folder} is not a LoRA adapter that can be read: ${p.problem}.`,
    hint: () =>
      'Use a folder with adapter_config.json and adapter_model.safetensors as PEFT saves plain LoRA: without DoRA, biases, patterns or whole modules.',
  },
  TOKENIZER_INVALID: {
    message: (p: { file: string; problem: string }) =>
      `${p.file} is not a tokenizer this package can use: ${p.problem}.`,
    hint: () => 'Use the tokenizer.json of a Qwen2.5 or other byte-level BPE model, or train one with trainTokenizer.',
  },
  TOKENIZER_TRAINING: {
    message: (p: { problem: string }) => `The tokenizer cannot be trained: ${p.problem}.`,
    hint: () =>
      'Ask for a vocabulary of at least 256 bytes plus the special tokens, and give a corpus that is not empty.',
  },
  CHAT_TEMPLATE: {
    message: (p: { problem: string }) => `The chat template failed: ${p.problem}.`,
    hint: () =>
      'Check the roles and parts of the messages, or leave out the folder’s template to use the built-in one.',
  },
  PLACEHOLDER_MISMATCH: {
    message: (p: { token: string; found: number; expected: number }) =>
      `The prompt has ${p.found} places for ${p.token}, but the media given need ${p.expected}.`,
    hint: () => 'Use a chat template that writes one placeholder per image, video and ECG.',
  },
  MODALITY_UNSUPPORTED: {
    message: (p: { modality: string; need: string }) => `This model cannot take ${p.modality}: ${p.need}.`,
    hint: p => `Leave the ${p.modality} out, or use a model with that encoder.`,
  },
  GRID_MISMATCH: {
    message: (p: { problem: string }) => `Token types and grids do not fit: ${p.problem}.`,
    hint: () => 'Give one grid [t, h, w] per image and video, in the order of the sequence.',
  },
  INPUT_INVALID: {
    message: (p: { name: string; problem: string }) => `Input ${p.name} ${p.problem}.`,
    hint: p => `Correct ${p.name}; README.md lists names, types and shapes.`,
  },
  OPTION_INVALID: {
    message: (p: { option: string; value: string; allowed: string }) =>
      `Option ${p.option} is ${p.value}; allowed: ${p.allowed}.`,
    hint: p => `Set ${p.option} to an allowed value.`,
  },
  LOGITS_NOT_FINITE: {
    message: (p: { vocabSize: number }) =>
      `Among the ${p.vocabSize} logits of a token are some that are not finite numbers.`,
    hint: () =>
      'The weights are damaged, training has diverged, or weights in float16 are too narrow for this model: go back to an earlier checkpoint, lower the learning rate, or answer with float32.',
  },
  CONTEXT_TOO_LONG: {
    message: (p: { tokens: number; limit: number }) =>
      `The sequence needs ${p.tokens} positions; the model takes at most ${p.limit}.`,
    hint: () => 'Shorten the prompt, lower maxNewTokens, or use smaller images.',
  },
  MEMORY_SHORT: {
    message: (p: {
      name: string
      plan: {
        weightsType: string
        weights: number
        encoders: number
        cache: number
        activations: number
        total: number
      }
      available: number
      fits: string | undefined
      least: number
    }) =>
      `${p.name} in ${p.plan.weightsType} takes ${gigabytes(p.plan.total)} (weights ${gigabytes(p.plan.weights + p.plan.encoders)}, context ${gigabytes(p.plan.cache)}, activations ${gigabytes(p.plan.activations)}), but ${gigabytes(p.available)} are free.`,
    hint: p =>
      p.fits === undefined
        ? `It takes ${gigabytes(p.least)} at least: free memory, or use a smaller model.`
        : `Use ${p.fits}, or free memory.`,
  },
  CACHE_DAMAGED: {
    message: (p: { folder: string; file: string }) =>
      `The packed weights in ${p.folder} are not as they were written: ${p.file}; they were dropped.`,
    hint: () => 'Start again: they are made anew from the checkpoint. If it happens again, check the disk.',
  },
  CACHE_FULL: {
    message: (p: { folder: string; bytes: number; free?: number }) =>
      `The packed weights take ${p.bytes} bytes in ${p.folder}, ${p.free === undefined ? 'and the disk became full' : `and ${p.free} are free`}; nothing was kept.`,
    hint: () =>
      'Free space, drop other models (qoq model cache --clear), or set QOQ_CACHE_DIR to a folder on another disk.',
  },
  CACHE_UNUSABLE: {
    message: (p: { folder: string; reason: string }) => `Packed weights cannot be written to ${p.folder}: ${p.reason}.`,
    hint: () => 'Set QOQ_CACHE_DIR to a folder that may be written.',
  },
  POLICY_CLOSED: {
    message: (p: { operation: string }) => `The policy is closed; ${p.operation} is not possible any more.`,
    hint: () => 'Open the policy again, or close it later.',
    status: 503,
  },
  THREAD_ENDED: {
    message: () => 'The thread of the policy has ended by an error.',
    hint: () => 'Open the policy again; the cause says what ended it, such as too little memory.',
    status: 503,
  },
  CONVERT_TARGET: {
    message: (p: { source: string; target: string; wanted: string }) =>
      `${p.source} cannot be written to ${p.target}: it converts to ${p.wanted}.`,
    hint: () =>
      'A model folder or GGUF file becomes a model folder; a .pth, .pt or .safetensors file becomes a .safetensors file.',
  },
  VALUE_RANGE: {
    message: (p: { tensor: string; value: number; dtype: string }) =>
      `Tensor ${p.tensor} has the value ${p.value}, which ${p.dtype} cannot hold; nothing was written.`,
    hint: () => 'Write it as BF16 or F32.',
  },
  OUTPUT_EXISTS: {
    message: (p: { folder: string }) => `${p.folder} exists; it was left as it is.`,
    hint: () => 'Choose another place, remove what is there, or say that a model may be replaced (--force).',
  },
  REMOTE_URL: {
    message: (p: { problem: string }) => `The address of the endpoint ${p.problem}.`,
    hint: () => 'Give the part before /chat/completions, such as http://localhost:8000/v1, and the key apart from it.',
  },
  REMOTE_KEY: {
    message: (p: { host: string; status: number; hasKey: boolean }) =>
      `${p.host} answers ${p.status}: the key is ${p.hasKey ? 'not accepted' : 'missing'}.`,
    hint: p => (p.hasKey ? 'Check the key, and that it may use this model.' : 'Give the key of this endpoint.'),
  },
  REMOTE_KEY_TEXT: {
    message: () => 'The key of the endpoint holds characters that no key has, such as a line break.',
    hint: () => 'Give the key alone, on one line.',
  },
  REMOTE_REFUSED: {
    message: (p: { host: string; status: number; said: string | undefined; hasPictures: boolean; model: string }) =>
      `${p.host} refuses the request (${p.status})${p.said === undefined ? '.' : `: ${p.said}`}`,
    hint: p =>
      p.status === 404
        ? `Check the address and the name of the model, "${p.model}"; GET /v1/models lists those of the server.`
        : p.hasPictures
          ? 'If this model takes no pictures, leave them out or ask another; otherwise check the limits of the server.'
          : 'Check the limits of the server: the length of prompt and answer, and which fields it knows.',
  },
  REMOTE_UNAVAILABLE: {
    message: (p: { host: string; reason: string; tries: number }) =>
      `${p.host} did not answer in ${p.tries} tries: ${p.reason}.`,
    hint: () => 'Check that the server runs and is not overloaded, then go on; fewer requests at a time may help.',
  },
  REMOTE_CIRCUIT: {
    message: (p: { host: string; failures: number }) =>
      `${p.host} gave no answer to ${p.failures} requests in a row, so that nothing more is sent.`,
    hint: () => 'Check the server, then go on.',
  },
  REMOTE_CUT: {
    message: (p: { host: string; reason: string }) => `${p.host} ended in the middle of an answer: ${p.reason}.`,
    hint: () => 'Ask again; an answer that was passed on in part cannot be taken back.',
  },
  REMOTE_ECG: {
    message: () => 'The endpoint is asked about an ECG, which chat completions have no place for.',
    hint: () =>
      'Send it as a signal to a server of this project (ecgAs: signal), or drawn as a picture (ecgAs: picture).',
  },
  REMOTE_UNSUPPORTED: {
    message: (p: { what: string }) => `A remote policy cannot be given ${p.what}.`,
    hint: () => 'Pass messages and no grammar, or use a policy in this process.',
  },
})
