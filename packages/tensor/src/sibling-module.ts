/** The address of a module beside another, with that one's extension: `.ts` from sources, `.js` when built. */
export function siblingModule(name: string, importer: string): URL {
  return new URL(`./${name}${importer.endsWith('.ts') ? '.ts' : '.js'}`, importer)
}
