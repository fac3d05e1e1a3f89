import { defineErrors, nearestName } from '@qoq-med/errors'

/** Every error of this package but those of the WFDB folder; codes start with `DATA_`. Messages never hold patient data. */
export const dataErrors = defineErrors('DATA', {
  DATASET_UNKNOWN: {
    message: (p: { id: string; known: readonly string[] }) => `There is no dataset "${p.id}".`,
    hint: p => {
      const meant = nearestName(p.id, p.known)
      return meant === undefined ? `Known datasets: ${p.known.join(', ')}.` : `Did you mean "${meant}"?`
    },
  },
  DEFINITION_INVALID: {
    message: (p: { id: string; problem: string }) => `The definition of dataset ${p.id} is invalid: ${p.problem}.`,
    hint: () => 'Correct the value passed to defineDataset.',
  },
  ROOT_NOT_FOUND: {
    message: (p: { dataset: string; root: string; looked: readonly string[] }) =>
      `The folder ${p.root} does not hold dataset ${p.dataset}; looked for ${p.looked.join(' or ')}.`,
    hint: p => `Pass the folder into which ${p.dataset} was unpacked; \`qoq data info ${p.dataset}\` shows its layout.`,
  },
  DATASET_EMPTY: {
    message: (p: { dataset: string; root: string; layout: string }) =>
      `The folder ${p.root} holds no sample of dataset ${p.dataset}; its layout is ${p.layout}.`,
    hint: () => 'Look whether the files are where the layout has them, and whether links in the folder point at files.',
  },
  INDEX_INVALID: {
    message: (p: { dataset: string; file: string; problem: string }) =>
      `The index ${p.file} of dataset ${p.dataset} is malformed: ${p.problem}.`,
    hint: () => 'Fetch the index again, or compare its columns with the dataset page.',
  },
  TABLE_INVALID: {
    message: (p: { problem: string }) => `The workbook cannot be read: ${p.problem}.`,
    hint: () => 'Fetch it again, or export its first sheet as CSV.',
  },
  LABEL_UNKNOWN: {
    message: (p: { dataset: string; row: string; label: string }) =>
      `Row ${p.row} of dataset ${p.dataset} has the label "${p.label}", which the definition does not list.`,
    hint: () => 'The release may be newer than the definition; skip such rows with onError: "skip".',
  },
  FILE_MISSING: {
    message: (p: { dataset: string; row: string; file: string }) =>
      `Dataset ${p.dataset}, row ${p.row}: the file ${p.file} is missing.`,
    hint: () => 'Fetch the file, or open the dataset with onError: "skip" to leave such rows out and count them.',
  },
  FILE_TRUNCATED: {
    message: (p: { dataset: string; row: string; file: string; needBytes: number; haveBytes: number }) =>
      `Dataset ${p.dataset}, row ${p.row}: the file ${p.file} is truncated, ${p.haveBytes} of at least ${p.needBytes} bytes.`,
    hint: () => 'Fetch the file again, or open the dataset with onError: "skip".',
  },
  FILE_UNREADABLE: {
    message: (p: { dataset: string; row: string; file: string; problem: string }) =>
      `Dataset ${p.dataset}, row ${p.row}: the file ${p.file} cannot be read. ${p.problem}`,
    hint: () => 'Fetch the file again, or open the dataset with onError: "skip".',
  },
  TOO_MANY_FAILURES: {
    message: (p: { failed: number; total: number; maxShare: number }) =>
      `${p.failed} of ${p.total} samples cannot be read, more than the share of ${p.maxShare} that may fail.`,
    hint: () => 'Look at the cause, check the folder with `qoq data verify`, or allow a larger share.',
  },
  PATH_UNSAFE: {
    message: (p: { dataset: string; row: string }) =>
      `Dataset ${p.dataset}, row ${p.row}: the index names a file outside the dataset's folder.`,
    hint: () => 'An index may only name files below its root; do not open indexes from an untrusted source.',
  },
  IMAGE_UNREADABLE: {
    message: (p: { problem: string }) => `The picture cannot be decoded: ${p.problem}.`,
    hint: () => 'PNG, JPEG, BMP, GIF, TIFF and WebP are read; fetch the file again if it is one of them.',
  },
  IMAGE_TOO_LARGE: {
    message: (p: { width: number; height: number; limit: number }) =>
      `The picture claims ${p.width} x ${p.height} pixels, more than the limit of ${p.limit}.`,
    hint: () => 'Cut the picture into tiles; whole-slide pictures are read patch by patch.',
    status: 413,
  },
  VIDEO_UNSUPPORTED: {
    message: (p: { file: string }) => `The video ${p.file} needs the package node-av, which is not installed.`,
    hint: () => 'Install it with `pnpm add node-av`, or convert the video to an animated GIF.',
  },
  VIDEO_INVALID: {
    message: (p: { file: string; problem: string }) => `The video ${p.file} cannot be read: ${p.problem}.`,
    hint: () => 'Fetch the file again.',
  },
  VOLUME_INVALID: {
    message: (p: { problem: string }) => `The volume cannot be read: ${p.problem}.`,
    hint: () =>
      'NIfTI-1, NIfTI-2 and MetaImage files with one number per voxel are read; fetch the file again if it is one.',
  },
  SERIES_INVALID: {
    message: (p: { problem: string }) => `The folder cannot be read as a DICOM series: ${p.problem}.`,
    hint: () =>
      'Name a folder with the files of one series, one slice each; of several series, put each in a folder of its own.',
  },
  DICOM_INVALID: {
    message: (p: { problem: string }) => `The DICOM file cannot be read: ${p.problem}.`,
    hint: () => 'Fetch the file again; if other viewers open it, convert it with one of them.',
  },
  DICOM_UNSUPPORTED: {
    message: (p: { what: string }) => `The DICOM file stores ${p.what}, which is not read.`,
    hint: () => 'Convert the file to explicit little endian, for example with dcmdjpeg or gdcmconv.',
  },
  DICOM_NO_PIXELS: {
    message: () => 'The DICOM file holds no pixels.',
    hint: () => 'Choose an image object; reports, directories and presentation states have none.',
  },
  ECG_INVALID: {
    message: (p: { format: string; problem: string }) => `The ${p.format} file cannot be read as an ECG: ${p.problem}.`,
    hint: () => 'Export it again; if another program reads it, convert it with that program.',
  },
  ECG_UNSUPPORTED: {
    message: (p: { what: string }) => `The file is one of ${p.what}, which are not read.`,
    hint: () => 'Export it in another form, such as HL7 aECG, DICOM or WFDB.',
  },
  ECG_UNIT_MISSING: {
    message: () => 'The table does not say in which unit its leads are.',
    hint: () => 'Write it into the header, as in "I (mV)", into a comment, as "# unit: mV", or pass `unit`.',
  },
  ECG_RATE_MISSING: {
    message: () => 'The table does not say how many samples a second has.',
    hint: () => 'Add a column "time (s)", a comment "# fs: 500", or pass `samplingRateHz`.',
  },
  LEADS_MISSING: {
    message: (p: { record: string; channels: number }) =>
      `Record ${p.record} has no signal in volts among its ${p.channels} channels.`,
    hint: () => 'Pass an electrocardiogram whose leads are in V, mV or uV; a file without units means mV.',
  },
  LEAD_UNIT_UNKNOWN: {
    message: (p: { record: string; lead: string }) =>
      `Lead ${p.lead} of record ${p.record} is in a unit that is no voltage, while other leads are in volts.`,
    hint: () => 'Correct the unit in the file to V, mV, uV or nV; the lead is not left out without a word.',
  },
  LEADS_DIFFER: {
    message: (p: { record: string; ratesHz: readonly number[] }) =>
      `The leads of record ${p.record} differ in sampling rate: ${p.ratesHz.join(', ')} Hz.`,
    hint: () => 'Read the record with readWfdb and resample its signals to one rate.',
  },
  LEAD_INCOMPLETE: {
    message: (p: { record: string; lead: string; missing: number; samples: number }) =>
      `Lead ${p.lead} of record ${p.record} misses ${p.missing} of ${p.samples} samples.`,
    hint: () => 'Gaps of up to 5 % are bridged; leave the recording out, or cut it to a part without gaps.',
  },
  OUTPUT_EXISTS: {
    message: (p: { dir: string }) =>
      `The folder ${p.dir} holds something other than a mini clinic; it was left as it is.`,
    hint: () => 'Choose another folder, or empty this one.',
  },
  INPUT_MISSING: {
    message: (p: { file: string }) => `The file ${p.file} is missing or cannot be opened.`,
    hint: () => 'Check the path.',
  },
  INPUT_IRREGULAR: {
    message: (p: { file: string; problem: string }) => `The file ${p.file} is not opened: ${p.problem}.`,
    hint: () => 'Pass an ordinary file; devices, pipes and links out of a folder are refused.',
  },
  TIME_EXCEEDED: {
    message: (p: { seconds: number }) => `Decoding the file takes more than ${p.seconds} seconds.`,
    hint: () => 'Cut the file into shorter ones, or choose fewer of its frames.',
  },
  DICOM_TOO_LARGE: {
    message: (p: { frames: number; rows: number; columns: number }) =>
      `The DICOM file holds ${p.frames} frames of ${p.rows} x ${p.columns} pixels, more than are decoded together.`,
    hint: () => 'Decode some of its frames by `choose`, as `presentMedia` does.',
  },
  FORMAT_UNKNOWN: {
    message: (p: { file: string }) => `The format of ${p.file} is not known.`,
    hint: () => 'WFDB, MATLAB, DICOM, NIfTI, MetaImage, picture and video files are inspected.',
  },
  OPTION_INVALID: {
    message: (p: { name: string; value: string; range: string }) => `${p.name} is ${p.value}, but must be ${p.range}.`,
    hint: p => `Pass ${p.name} as ${p.range}.`,
  },
  PACKAGE_MISSING: {
    message: (p: { name: string; purpose: string }) =>
      `${p.purpose} needs the package ${p.name}, which is not installed.`,
    hint: p => `Install it with \`pnpm add ${p.name}\`.`,
  },
  QUERY_INVALID: {
    message: (p: { problem: string }) => `The query of the index failed: ${p.problem}.`,
    hint: () =>
      'The table is called samples; `SELECT * FROM samples LIMIT 1` shows its columns. Only the indexes can be read.',
  },
  DOWNLOAD_MANUAL: {
    message: (p: { dataset: string; how: string; url: string }) =>
      `Dataset ${p.dataset} cannot be fetched by a program: ${p.how}.`,
    hint: p => `See ${p.url}, and unpack it as \`qoq data info ${p.dataset}\` says.`,
  },
  CREDENTIALS_MISSING: {
    message: (p: { name: string; place: string }) => `Downloading from ${p.place} needs ${p.name}, which is not set.`,
    hint: p => `Set ${p.name} in the environment, or run the command on a terminal, which asks for it.`,
  },
  DOWNLOAD_DENIED: {
    message: (p: { url: string; status: number }) => `The server refuses ${p.url} (status ${p.status}).`,
    hint: () => "Check the credentials, and that the dataset's terms are accepted on its page.",
  },
  DOWNLOAD_FAILED: {
    message: (p: { url: string; reason: string }) => `${p.url} cannot be downloaded: ${p.reason}.`,
    hint: () => 'Run the same command again: it goes on where it stopped.',
  },
  OFFLINE: {
    message: (p: { host: string; code: string }) => `${p.host} cannot be reached (${p.code}).`,
    hint: () => 'Connect to the network, or set a proxy or a mirror; what was fetched is kept.',
  },
  REPOSITORY_UNKNOWN: {
    message: (p: { repository: string; revision: string; host: string }) =>
      `There is no repository ${p.repository} with the revision ${p.revision} on ${p.host}.`,
    hint: () => 'Check owner, name and revision; one that is private or gated needs HF_TOKEN in the environment.',
  },
  REPOSITORY_FILES: {
    message: (p: { repository: string; problem: string }) => `Repository ${p.repository}: ${p.problem}.`,
    hint: () => 'Choose files with --include, such as --include "*Q4_K_M*".',
  },
  MODEL_NOT_PULLED: {
    message: (p: { name: string; folder: string }) =>
      `There is no folder ${p.name} here, and no model of that name was pulled into ${p.folder}.`,
    hint: p => `Check the path, or fetch the model: qoq model pull ${p.name}`,
  },
  CHECKSUM_WRONG: {
    message: (p: { file: string; url: string }) =>
      `The file ${p.file} from ${p.url} has another checksum than its source says.`,
    hint: () => 'It was fetched twice and deleted; try later, or ask the source.',
  },
  LISTING_INVALID: {
    message: (p: { url: string; problem: string }) => `The list of files at ${p.url} cannot be used: ${p.problem}.`,
    hint: () => 'The source may have changed; fetch the dataset by hand from its page.',
  },
  DISK_FULL: {
    message: (p: { needBytes: number; freeBytes: number; root: string }) =>
      `The disk of ${p.root} has ${p.freeBytes} bytes left, and ${p.needBytes} are needed.`,
    hint: () => 'Free some space, or choose a folder on another disk.',
  },
  ARCHIVE_UNSAFE: {
    message: (p: { archive: string; problem: string }) => `The archive ${p.archive} is refused: ${p.problem}.`,
    hint: () => 'Do not use it: an honest dataset has no such entries.',
  },
  ARCHIVE_INVALID: {
    message: (p: { archive: string }) => `The archive ${p.archive} is damaged.`,
    hint: () => 'Delete it and download it again.',
  },
})
