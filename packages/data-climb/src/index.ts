export type { ClinicPreset } from './clinic/clinic-plan.ts'
export { defaultClinicDomains } from './clinic/clinic-domains.ts'
export { clinicDifficulties, type ClinicDifficulty } from './clinic/clinic-difficulty.ts'
export { synthesise, type SynthesiseOptions, type SynthesisReport } from './clinic/synthesise.ts'
export { demographicLabel, type PatientFacts } from './sample/demographic-label.ts'
export { sampleForms, type SampleForm } from './sample/short-form.ts'
export {
  defineDataset,
  type Access,
  type DatasetDefinition,
  type DatasetLocation,
  type DatasetRow,
  type MaskSource,
  type Media,
  type PixelRegion,
  type RowOptions,
} from './dataset/dataset.ts'
export { DatasetFolder, type CsvRow } from './dataset/dataset-folder.ts'
export { ecgRecording } from './ecg/ecg-recording.ts'
export { readEcg, type EcgFileBytes, type ReadEcgOptions } from './ecg-files/read-ecg.ts'
export type { EcgTableOptions } from './ecg-files/ecg-table.ts'
export { dataErrors } from './errors.ts'
export { lockFolder, type FolderLock } from './files/folder-lock.ts'
export { identifyFile, identifyingBytes, type FileKind } from './media/identify-file.ts'
export { decodeImage, maxImagePixels, type DecodeImageOptions } from './media/image.ts'
export { mediaFingerprint, type FingerprintMode } from './media/media-fingerprint.ts'
export { FailureLedger, type FailedSample, type FailureLedgerOptions } from './sample/failure-ledger.ts'
export { inspectFile } from './inspect/inspect.ts'
export type { FileReport } from './inspect/file-report.ts'
export { locateFindings } from './sample/locate-findings.ts'
export { openDataset, type DatasetTally, type OpenDatasetOptions, type OpenedDataset } from './open/open-dataset.ts'
export {
  presentSample,
  type PictureSize,
  type PresentedSample,
  type PromptMessage,
  type PromptPart,
  type SampleTruth,
} from './sample/present-sample.ts'
export { parseWindow } from './open/parse-window.ts'
export {
  mediaParts,
  presentMedia,
  type MediaBytes,
  type PresentedMedia,
  type PresentMediaOptions,
} from './media/present-media.ts'
export {
  answerForm,
  questionTemplates,
  questionText,
  type QuestionParts,
  type QuestionTemplates,
} from './sample/question.ts'
export { referenceResponse, type Finding, type ReferenceParts } from './sample/reference.ts'
export { findDataset, listDatasets } from './datasets/registry.ts'
export {
  domains,
  type BoxXyxy,
  type Domain,
  type EcgRecording,
  type Modality,
  type PictureScale,
  type PixelMask,
  type ReferenceWriter,
  type RgbImage,
  type Sample,
  type SampleView,
  type Split,
} from './sample/sample.ts'
export { defaultSplitFractions, splitOfPatient, type SplitFractions } from './sample/split.ts'
export { readWfdb, readWfdbHeader } from './ecg/wfdb-file.ts'
export { wfdbErrors } from './wfdb/errors.ts'
export { parseWfdbHeader, type WfdbHeader, type WfdbSegment } from './wfdb/header.ts'
export { readMat } from './wfdb/mat-file.ts'
export type { MatDtype, MatMatrix } from './wfdb/mat-matrix.ts'
export { physicalSignal, smoothFrames } from './wfdb/physical.ts'
export { decodeWfdb, type WfdbRecord, type WfdbSignal } from './wfdb/record.ts'
export { joinSegments } from './wfdb/segments.ts'
export { signalFileBytes } from './wfdb/signal-files.ts'
export type { WfdbSignalHeader } from './wfdb/signal-line.ts'
export type { StorageFormat } from './wfdb/storage-formats.ts'
export type { WritableFormat } from './wfdb/pack.ts'
export { encodeWfdb, type WfdbRecordToWrite, type WfdbSignalToWrite } from './wfdb/write.ts'
export { decodeMetaImage, parseMetaImageHeader, type MetaImageHeader } from './volume/meta-image.ts'
export { readNifti } from './volume/nifti.ts'
export {
  axialMasks,
  axialSlices,
  finiteRange,
  framesPerVolume,
  interiorPositions,
  patientAxes,
  type AroundPoint,
  type FrameChoice,
  type PatientAxes,
} from './volume/slices.ts'
export { volumeWindow } from './media/present-volume.ts'
export { windowPresets, type IntensityWindow, type WindowChoice, type WindowPreset } from './volume/intensity-window.ts'
export { decodeVolume, readVolume } from './volume/volume-file.ts'
export { physicalVoxels, type Volume, type Voxels, type VoxelType } from './volume/voxels.ts'
export { isDicom } from './dicom/dicom-file.ts'
export { decodeDicom, type DicomImage } from './dicom/dicom-image.ts'
export { readSegmentMasks, type SegmentMask } from './dicom/segmentation.ts'
export { dicomPictures } from './dicom/dicom-display.ts'
export { encodeDicom, uidOf as dicomUid, type DicomToWrite } from './dicom/write-dicom.ts'
export { encodeDicomFile, type DicomElement, type DicomFileMeta } from './dicom/encode-data-set.ts'
export { dicomReference, type DicomReference } from './dicom/dicom-reference.ts'
export { readJsonl, writeJsonl, type PublicRow } from './sample/public-jsonl.ts'
export {
  verifyDataset,
  type DatasetProblem,
  type DatasetReport,
  type VerifyDatasetOptions,
} from './verify/verify-dataset.ts'
export { verifySplits, type SplitReport } from './verify/verify-splits.ts'
export { readVideoFrames } from './media/video.ts'
export { encodeNifti } from './volume/write-nifti.ts'
export { ecgStrip, type EcgStripOptions } from './preview/ecg-strip.ts'
export { markedPicture, type MarkedBox, type PictureMarks } from './preview/marked-picture.ts'
export { contactSheet, type SheetHead, type SheetSection } from './preview/contact-sheet.ts'
export { previewSheet, type PreviewSource } from './preview/preview.ts'
export { placed as placedDrawing, svgDocument, svgToPng, type SvgDrawing } from './preview/svg-drawing.ts'
export { buildIndex, type BuildIndexOptions, type BuildProgress, type BuildReport } from './store/build-index.ts'
export type { ContentCheck, RowProblem } from './store/index-piece.ts'
export type { IndexRow } from './store/index-row.ts'
export { openIndex, type SampleIndex } from './store/sample-index.ts'
export { drawOrder, type DrawOrder, type MixedRow, type MixedSource } from './source/draw-order.ts'
export { openJsonl, type OpenJsonlOptions } from './source/jsonl-source.ts'
export { keyedPermutation, type Permutation } from './source/keyed-permutation.ts'
export { mixedOrder, shareOf } from './source/mixed-order.ts'
export { openSources, type OpenSourcesOptions, type SourceSpec } from './source/open-sources.ts'
export {
  SampleCollection,
  SampleSelection,
  type CollectedSource,
  type SampleFilter,
} from './source/sample-collection.ts'
export type { SourceRows, SourceShare } from './source/sample-strata.ts'
export { FactTable, type NotedSample, type RowFacts } from './sample/sample-facts.ts'
export { samplesInMemory, type SampleSource } from './sample/sample-source.ts'
export { queryIndex } from './store/query-index.ts'
export {
  downloadDataset,
  type DownloadOptions,
  type DownloadProgress,
  type DownloadReport,
} from './download/download-dataset.ts'
export type { DownloadSource } from './dataset/download-source.ts'
export { downloadSource, howToGet, parseDownloadSource } from './download/sources.ts'
export type { Hosts } from './download/listings.ts'
export { pullRepository, type PullOptions, type PullProgress, type PullReport } from './repository/pull-repository.ts'
export { modelsFolder, RepositoryCache, type PulledRepository } from './repository/repository-cache.ts'
export { modelPlace, type ModelPlaceOptions } from './repository/model-place.ts'
