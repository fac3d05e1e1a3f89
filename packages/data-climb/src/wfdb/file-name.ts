/** Tells whether a name stays in its folder: no separator, no drive, no parent, no control character. */
export function isPlainFileName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && Array.from(name).every(isAllowed)
}

function isAllowed(character: string): boolean {
  return character >= ' ' && !'/\\:'.includes(character)
}
