import { isIP } from 'node:net'

/**
 * Tells whether a Host header names this server: an IP address, localhost, or a name that the operator allows. A page of another
 * site whose name was pointed at this machine (DNS rebinding) sends that site's name.
 */
export function isOwnHost(host: string | undefined, allowed: readonly string[]): boolean {
  const name = hostname(host)
  if (name === undefined) return false
  const bare = name.replace(/^\[|\]$/g, '')
  return isIP(bare) !== 0 || name === 'localhost' || name.endsWith('.localhost') || allowed.includes(name)
}

/**
 * Tells whether a request may come from the page it comes from: programs send no Origin; pages of this server send its own, and
 * those of others are refused unless the operator allows them.
 */
export function isOwnOrigin(
  {
    origin,
    host,
    site,
  }: { readonly origin: string | undefined; readonly host: string | undefined; readonly site: string | undefined },
  allowed: readonly string[],
): boolean {
  if (origin !== undefined) return allowed.includes(origin) || isSameHost(origin, host)
  return site === undefined || site === 'same-origin' || site === 'none'
}

function isSameHost(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === canonical(host)
}

function canonical(host: string): string | undefined {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).host : undefined
}

function hostname(host: string | undefined): string | undefined {
  if (host === undefined || !/^[\w.:[\]-]+$/.test(host) || !URL.canParse(`http://${host}`)) return undefined
  return new URL(`http://${host}`).hostname
}
