import { fileURLToPath } from 'node:url'
import { optionalPackage } from '../files/optional-package.ts'
import { makePiece, type PieceContext, type PieceHead, type PieceTask } from './index-piece.ts'
import type { WorkerTask } from './index-worker.ts'

/** Makes pieces, in this thread or in others. */
export interface PieceMaker {
  /** Pieces that are worth having under way at a time. */
  readonly width: number
  readonly make: (task: PieceTask) => Promise<PieceHead>
  readonly close: () => Promise<void>
}

/**
 * Starts what makes pieces.
 *
 * @param workers threads; 0 works in this one, which a definition that is not in the registry needs
 * @throws DATA_PACKAGE_MISSING when threads are asked for and piscina is not installed
 */
export async function startPieceMaker(context: PieceContext, workers: number): Promise<PieceMaker> {
  if (workers === 0) return { width: 1, make: task => makePiece(task, context), close: async () => undefined }
  const { Piscina } = await optionalPackage('piscina', 'Building with worker threads', () => import('piscina'))
  const isSource = import.meta.url.endsWith('.ts')
  const pool = new Piscina<WorkerTask, PieceHead>({
    filename: fileURLToPath(new URL(`./index-worker${isSource ? '.ts' : '.js'}`, import.meta.url)),
    name: 'makePieceInWorker',
    minThreads: workers,
    maxThreads: workers,
    // Flags of the main program, such as --input-type, are its alone; sources import each other's sources.
    execArgv: isSource ? ['--conditions=@qoq-med/source'] : [],
  })
  const { definition, folder, options } = context
  return {
    width: workers * 2,
    make: task => pool.run({ ...task, dataset: definition.id, root: folder.root, options }),
    close: () => pool.destroy(),
  }
}
