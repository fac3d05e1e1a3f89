import { spawnSync } from 'node:child_process'
import type { DecoderConfig } from '../src/checkpoint/decoder-config.ts'

/** What every contender does: `batch` different prompts of `promptTokens` random tokens, each answered by `newTokens`, greedily. */
export interface GenerateWork {
  readonly batches: readonly number[]
  readonly promptTokens: number
  readonly newTokens: number
  readonly threads: number
  readonly rounds: number
}

/** Tokens per second by batch, the best of the rounds. */
export type Throughput = ReadonlyMap<number, number>

const folder = new URL('../../../tooling/peers/', import.meta.url).pathname

/** transformers.generate in float32 on the same sizes; `python` has torch and transformers. */
export function transformersThroughput(python: string, config: DecoderConfig, work: GenerateWork): Throughput {
  return peerThroughput(python, `${folder}transformers_generate.py`, { ...work, config: qwen2Json(config) })
}

/** llama.cpp on a GGUF file; `modules` is a folder in which node-llama-cpp is installed. */
export function llamaThroughput(modules: string, model: string, work: GenerateWork): Throughput {
  return peerThroughput(process.execPath, `${folder}llama-generate.mjs`, { ...work, model, modules })
}

function peerThroughput(command: string, script: string, task: object): Throughput {
  const { status, stdout, stderr } = spawnSync(command, [script, JSON.stringify(task)], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${script} ended with ${String(status)}: ${stderr.slice(-2000)}`)
  return new Map(JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as [number, number][]) // what the scripts print last
}

function qwen2Json(config: DecoderConfig): object {
  return {
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numLayers,
    num_attention_heads: config.numHeads,
    num_key_value_heads: config.numKvHeads,
    vocab_size: config.vocabSize,
    rms_norm_eps: config.rmsNormEpsilon,
    tie_word_embeddings: config.tieWordEmbeddings,
    max_position_embeddings: config.maxPositions,
  }
}
