import type { FileReport } from '@qoq-med/data-climb'
import { defineCommand } from '../command.ts'
import { factTable } from '../text-table.ts'

/** `qoq data inspect`: what a file holds. */
export const inspectCommand = defineCommand({
  meta: {
    name: 'inspect',
    description:
      'Read a file, or a folder with the slices of a DICOM series, and say what it holds: modality, view, window, orientation, spacing, duration, shape, range, hashes, warnings, and which fields of a patient are filled, never with what.',
    examples: ['qoq data inspect records/E00001.hea --json', 'qoq data inspect scans/series-3'],
  },
  args: {
    file: {
      type: 'positional',
      required: true,
      description: 'picture, DICOM file or folder of a series, volume, video, ECG of any format, .mat',
    },
  },
  run: async ({ args, input, output }) => {
    const { inspectFile } = await import('@qoq-med/data-climb')
    const report = await inspectFile(input.resolve(args.file))
    output.result(report, () => factTable(factsOf(report)))
  },
})

/** What a person looks for first, then the figures; hashes are for machines. */
function factsOf({ format, about = {}, patientFields, ...report }: FileReport): Readonly<Record<string, unknown>> {
  const { shape, dtype, channels, fs, units, spacing, min, max, mean, sha256, warnings } = report
  return {
    format,
    ...about,
    size: shape.join(' x '),
    values: `${dtype}, ${figure(min)} to ${figure(max)}, mean ${figure(mean)}`,
    channels,
    'samples per second': fs,
    units: units && [...new Set(units)],
    'spacing (mm)': spacing?.map(figure).join(' x '),
    'patient fields':
      patientFields && (patientFields.length === 0 ? 'none found' : [...patientFields, 'values are not shown']),
    sha256,
    warnings: warnings.length === 0 ? undefined : warnings.join('; '),
  }
}

function figure(value: number): string {
  return String(Number(value.toPrecision(6)))
}
