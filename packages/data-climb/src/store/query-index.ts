import { dataErrors } from '../errors.ts'
import { optionalPackage } from '../files/optional-package.ts'

/**
 * Asks indexes by SQL, in DuckDB: the table is called `samples` and has the columns of the index; `answer`, `labels`,
 * `modality`, `files` and `sha256` are lists.
 *
 * @param files indexes that `buildIndex` wrote
 * @returns one object per row; whole numbers beyond 2^53 are bigints
 * @throws DATA_PACKAGE_MISSING when `@duckdb/node-api` is not installed, DATA_QUERY_INVALID with DuckDB's reason
 * @example
 * await queryIndex(['data/ecg.parquet'], `SELECT split, count(*)::INT n FROM samples WHERE list_contains(answer, 'STTC') GROUP BY split`)
 */
export async function queryIndex(files: readonly string[], sql: string): Promise<Record<string, unknown>[]> {
  const duckdb = await optionalPackage('@duckdb/node-api', 'Asking an index by SQL', () => import('@duckdb/node-api'))
  const instance = await duckdb.DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const list = files.map(file => `'${file.replaceAll("'", "''")}'`).join(', ')
    await connection.run(`CREATE VIEW samples AS SELECT * FROM read_parquet([${list}])`)
    // A query reads these files and nothing else: no other file, no network, no extension.
    await connection.run(
      `SET allowed_paths = [${list}]; SET enable_external_access = false; SET lock_configuration = true`,
    )
    const reader = await connection.runAndReadAll(sql)
    return reader.getRowObjectsJS()
  } catch (cause) {
    throw dataErrors.QUERY_INVALID({ problem: reasonOf(cause) }, { cause })
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  return (message.split('\n')[0] ?? '').replace(/\.$/, '')
}
