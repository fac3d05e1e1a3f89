import type { BenchPeer, BenchRow } from '../base/bench-row.ts'

function python(name: string): BenchPeer {
  return { name, runtime: 'python', script: 'read_data.py' }
}

const cornerstone = 'dicom-general/cornerstone'
const ct = (syntax: string): string => `${cornerstone}/CTImage.dcm_${syntax}.dcm`

/** What reading takes, on real files of the folder `--data`; recordings are made by each side. */
export const dataRows: readonly BenchRow[] = [
  {
    name: 'data/ecg',
    work: '12-lead ECGs of 10 s at 500 Hz, from WFDB files to 250 Hz',
    measure: 'read-data',
    options: { kind: 'ecg', files: [], repeat: 600 },
    peer: python('wfdb and scipy'),
    figure: 'rate',
    unit: 'records/s',
    target: { type: 'limit', value: 1500 },
  },
  {
    name: 'data/dicom',
    work: 'DICOM files with raw pixels (CT, MR; little, implicit and big endian)',
    measure: 'read-data',
    options: {
      kind: 'dicom',
      files: [
        ct('LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1'),
        'dicom-general/pydicom/CT_small.dcm',
        'dicom-general/pydicom/MR_small.dcm',
        'dicom-general/pydicom/MR_small_bigendian.dcm',
      ],
      repeat: 100,
    },
    peer: python('pydicom'),
    figure: 'rate',
    unit: 'files/s',
    target: { type: 'ratio', value: 1.5 },
    needs: 'data',
  },
  {
    name: 'data/dicom-compressed',
    work: 'the same CT slice as RLE, JPEG baseline, lossless JPEG, JPEG-LS and JPEG 2000',
    measure: 'read-data',
    options: {
      kind: 'dicom',
      files: [
        ct('RLELosslessTransferSyntax_1.2.840.10008.1.2.5'),
        ct('JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50'),
        ct('JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70'),
        ct('JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80'),
        ct('JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90'),
      ],
      repeat: 20,
    },
    peer: python('pydicom and pylibjpeg'),
    figure: 'rate',
    unit: 'files/s',
    target: { type: 'ratio', value: 1.2 },
    needs: 'data',
  },
  {
    name: 'data/images',
    work: 'chest X-rays as JPEG, from the file to patches of the Qwen processor',
    measure: 'read-data',
    options: {
      kind: 'image',
      files: ['000001-12', '000001-2', '000002-16', '16660_1_1', 'covid-19-pneumonia-8', 'klebsiella-pneumonia-1'].map(
        name => `cxr-covid-chestxray/images/${name}.jpg`,
      ),
      repeat: 6,
    },
    peer: python('Pillow and transformers'),
    figure: 'rate',
    unit: 'images/s',
    target: { type: 'ratio', value: 1.2 },
    needs: 'data',
  },
  {
    name: 'data/videos',
    work: 'four frames of ultrasound videos (MP4)',
    measure: 'read-data',
    options: {
      kind: 'video',
      files: ['patient_11_L1', 'patient_16_R1', 'patient_23_L3', 'patient_5_R1'].map(
        name => `us-covid-blues/lus_videos/${name}.mp4`,
      ),
      repeat: 10,
    },
    peer: python('OpenCV'),
    figure: 'rate',
    unit: 'videos/s',
    target: { type: 'ratio', value: 1 },
    needs: 'data',
  },
]
