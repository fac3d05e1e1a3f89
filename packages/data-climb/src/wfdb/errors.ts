import { defineErrors } from '@qoq-med/errors'

/** Errors of the WFDB reader and writer; codes start with `WFDB_`. Messages name records and files, never header comments. */
export const wfdbErrors = defineErrors('WFDB', {
  BAD_HEADER: {
    message: (p: { record: string; line: number; problem: string }) =>
      `The header of record ${p.record} is malformed at line ${p.line}: ${p.problem}.`,
    hint: () => 'Compare the line with the WFDB header format (header(5)) or fetch the file again.',
  },
  UNSAFE_FILE_NAME: {
    message: (p: { record: string; line: number }) =>
      `Line ${p.line} of the header of record ${p.record} names a file outside the record's folder.`,
    hint: () => 'A header may only name files that lie beside it; do not open records from an untrusted source.',
  },
  UNKNOWN_FORMAT: {
    message: (p: { record: string; format: string }) =>
      `Record ${p.record} stores a signal in format ${p.format}, which is not a WFDB storage format.`,
    hint: () => 'Known formats are 8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516 and 524.',
  },
  FILE_MISSING: {
    message: (p: { record: string; file: string }) => `Record ${p.record} needs the file ${p.file}, which is missing.`,
    hint: () => 'Put the signal file beside its header; a .hea file alone holds no samples.',
  },
  TRUNCATED: {
    message: (p: { record: string; file: string; needBytes: number; haveBytes: number }) =>
      `The signal file ${p.file} of record ${p.record} is truncated: its header claims ${p.needBytes} bytes, it has ${p.haveBytes}.`,
    hint: () => 'Fetch the file again, or correct the number of samples in the header.',
  },
  TOO_LARGE: {
    message: (p: { record: string; samples: number; limit: number }) =>
      `Record ${p.record} claims ${p.samples} samples, more than the limit of ${p.limit}.`,
    hint: () => 'Read the segments of a long record one by one.',
  },
  BAD_FLAC: {
    message: (p: { problem: string }) => `The FLAC signal stream is malformed: ${p.problem}.`,
    hint: () => 'Fetch the signal file again.',
  },
  BAD_MAT: {
    message: (p: { problem: string }) => `The MATLAB file is malformed or not supported: ${p.problem}.`,
    hint: () => 'MATLAB level 4 and level 5 files with one numeric matrix are read; save the matrix with `save -v6`.',
  },
  BAD_SIGNAL: {
    message: (p: { record: string; problem: string }) => `Record ${p.record} cannot be written: ${p.problem}.`,
    hint: () => 'Give signals of one length, integers within the storage format, and a plain record name.',
  },
})
