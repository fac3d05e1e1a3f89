export { writeWhole, type FileContent } from './write-whole.ts'
