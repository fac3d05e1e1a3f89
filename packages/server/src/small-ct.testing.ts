import { encodeDicom } from '@qoq-med/data-climb'

/** A CT of 16 x 16 pixels as a DICOM file. */
export const smallCt: Uint8Array = encodeDicom({
  rows: 16,
  columns: 16,
  pixels: new Uint16Array(256).map((_, i) => i),
  bitsStored: 12,
  modality: 'CT',
  sopInstanceUid: '1.2.3',
})
