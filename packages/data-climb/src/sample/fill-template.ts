/**
 * Puts values in place of `{name}` in one pass: what a value holds, `$&` or `{name}` too, stays as it is, and so does a
 * name without a value.
 */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (written, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? written) : written,
  )
}
