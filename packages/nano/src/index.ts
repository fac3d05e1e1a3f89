export { nanoPolicy, nanoWarmStart, type ShippedModel } from './shipped-models.ts'
