import { openSafetensorsSource } from './checkpoint-files.ts'
import { openPth } from './pth-source.ts'
import type { TensorSource } from './tensor-source.ts'

/** Opens a bare file of tensors: safetensors by its name, else PyTorch's. @throws MODEL_SAFETENSORS_INVALID, MODEL_PTH_INVALID */
export function openTensorFile(path: string): Promise<TensorSource> {
  return path.endsWith('.safetensors') ? openSafetensorsSource(path) : openPth(path)
}
