import { fileURLToPath } from 'node:url'

/** A model that comes with the project: a folder in the format of Hugging Face. */
export interface ShippedModel {
  readonly name: string
  /** Its absolute path. */
  readonly folder: string
  /** What it is, for whoever reads its answers. */
  readonly about: string
}

const shippedFolder = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))

/** `qoq-nano` after its warm start and reinforcement by DRPO: what answers where no model is named. */
export const nanoPolicy: ShippedModel = {
  name: 'qoq-nano',
  folder: shippedFolder('qoq-nano'),
  about: 'a small model that was trained on simulated patients, for trying things out; it knows nothing of real ones',
}

/** The same model before reinforcement: what the demo goes on from. */
export const nanoWarmStart: ShippedModel = {
  name: 'qoq-nano-warm-start',
  folder: shippedFolder('qoq-nano-warm-start'),
  about: 'the warm start of qoq-nano, before reinforcement',
}
