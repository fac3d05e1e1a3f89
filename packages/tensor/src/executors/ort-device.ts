/** Where ONNX Runtime computes; which ones there are depends on the machine and on the installed package. */
export type OrtDevice = (typeof ortDevices)[number]

/** Every device of ONNX Runtime that a package for Node may have. */
export const ortDevices = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const

/** What each device needs, for the hint of TENSOR_DEVICE_MISSING. */
export const deviceRemedies: Readonly<Record<OrtDevice, string>> = {
  cpu: 'Install onnxruntime-node for this platform.',
  webgpu:
    'WebGPU needs x64 (on macOS also arm64) and a graphics driver: on Linux Vulkan (libvulkan1 and the driver of the card), on Windows Direct3D 12.',
  cuda: 'CUDA needs Linux x64, an NVIDIA driver, cuDNN 9 and the CUDA that the provider was built for, and the provider that the install script of onnxruntime-node downloads: let it run (pnpm: allowBuilds), without --onnxruntime-node-install=skip.',
  coreml: 'Core ML is a part of macOS; run there.',
  dml: 'DirectML is a part of Windows; run there.',
}
