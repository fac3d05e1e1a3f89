import { dataErrors } from '../errors.ts'

/**
 * Imports a package that the readers do without, so that they install small.
 *
 * @param load imports it: `() => import('undici')`
 * @param purpose what needs it, to complete "… needs the package": "Building an index"
 * @throws DATA_PACKAGE_MISSING when it is not installed
 */
export async function optionalPackage<Module>(
  name: string,
  purpose: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause
    throw dataErrors.PACKAGE_MISSING({ name, purpose }, { cause })
  }
}
