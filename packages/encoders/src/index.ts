export { frameIndices } from './vision/frame-indices.ts'
