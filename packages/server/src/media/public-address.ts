import { BlockList, isIP } from 'node:net'
import { serverErrors } from '../errors.ts'

/** IPv4 networks that are no place of the internet: this machine, private and link-local ones, those of carriers and examples, multicast. */
const insideIpv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
] as const
/** The places of the internet in IPv6, and what lies within them that is none, or leads to an IPv4 address (Teredo, 6to4). */
const globalIpv6 = '2000::/3'
const insideIpv6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'] as const

const inside = networksOf([...insideIpv4, ...insideIpv6])
const global = networksOf([globalIpv6])

/** Networks by their addresses, such as 10.1.0.0/16; an address without a length is that one alone. @throws SERVER_NETWORK_INVALID */
export function networksOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', length, ...rest] = network.split('/')
    const family = isIP(address)
    const bits =
      length === undefined ? (family === 4 ? 32 : 128) : Number(/^\d{1,3}$/.test(length) ? length : Number.NaN)
    if (family === 0 || rest.length > 0 || !(bits <= (family === 4 ? 32 : 128)))
      throw serverErrors.NETWORK_INVALID({ network })
    list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}

/** Whether an address is one of the internet, or lies in a network that the operator named. */
export function mayBeConnected(address: string, allowed: BlockList): boolean {
  const family = isIP(address)
  if (family === 0) return false
  const kind = family === 4 ? 'ipv4' : 'ipv6'
  if (allowed.check(address, kind)) return true
  if (inside.check(address, kind)) return false
  return family === 4 || global.check(address, kind)
}
