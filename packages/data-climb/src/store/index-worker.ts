import { DatasetFolder } from '../dataset/dataset-folder.ts'
import { findDataset } from '../datasets/registry.ts'
import { makePiece, type PieceHead, type PieceOptions, type PieceTask } from './index-piece.ts'

/** What a worker thread gets: plain values; the definition is looked up by its id. */
export interface WorkerTask extends PieceTask {
  readonly dataset: string
  readonly root: string
  readonly options: PieceOptions
}

/** Makes one piece of an index in a worker thread. */
export async function makePieceInWorker({ dataset, root, options, ...task }: WorkerTask): Promise<PieceHead> {
  return makePiece(task, { definition: findDataset(dataset), folder: new DatasetFolder(dataset, root), options })
}
