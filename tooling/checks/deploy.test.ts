import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

const repository = path.resolve(import.meta.dirname, '../..')
const read = (name: string): string => readFileSync(path.join(repository, name), 'utf8')

/** What is looked at of a service. */
interface Service {
  readonly volumes: readonly string[]
  readonly [field: string]: unknown
}

const { services }: { services: Record<string, Service> } = parse(read('deploy/compose.yaml'), { merge: true })

describe('the compose file', () => {
  test.for(['server', 'keys'])('runs %s with as few rights as it needs', name => {
    expect(services[name]).toMatchObject({
      user: expect.stringMatching(/^\$\{QOQ_UID:-[1-9]\d*\}/),
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    })
    expect(services[name]).not.toHaveProperty('privileged')
    expect(services[name]).not.toHaveProperty('cap_add')
  })

  test('the server is reached from this machine alone, reads keys, and writes to memory', () => {
    const { server } = services
    expect(server?.['ports']).toEqual([expect.stringMatching(/^127\.0\.0\.1:/)])
    expect(server?.volumes).toEqual(['./keys:/keys:ro'])
    expect(server?.['tmpfs']).toEqual([expect.stringContaining('noexec,nosuid,nodev')])
  })
})

describe('the Dockerfile', () => {
  const dockerfile = read('deploy/Dockerfile')

  test('builds with the package manager of the repository', () => {
    const { packageManager } = JSON.parse(read('package.json'))
    expect(dockerfile).toContain(`npm install --global ${packageManager}\n`)
  })

  test('runs as a user that is not root, and asks for keys', () => {
    expect(/^USER (\d+):/m.exec(dockerfile)?.[1]).toBe('1000')
    expect(dockerfile).toMatch(/^CMD .*"--keys"/m)
    expect(dockerfile).toContain('/health/ready')
  })
})
