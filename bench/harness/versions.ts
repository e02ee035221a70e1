import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from './machine.js'
import { packageVersion } from './package-version.js'
import { root } from './root.js'

const PACKAGES = ['proper-lockfile', 'ringbuf.js', 'zeromq', '@redis/client']
const CRATES = ['rtrb', 'crossbeam-queue']

/** The peers that come by npm and Cargo. Others say their version themselves; it is in their name. */
export const versions = (): Machine => [
  ...PACKAGES.map((name): Machine[0] => [name, packageVersion(name)]),
  ...CRATES.map((name): Machine[0] => [name, crateVersion(name)]),
]

/** As it is locked. */
function crateVersion(name: string): string {
  const lock = readFileSync(join(root, 'Cargo.lock'), 'utf8')
  const [, version] = new RegExp(`name = "${name}"\nversion = "(.+)"`).exec(lock) ?? []
  if (!version) throw new Error(`Cargo.lock has no ${name}`)
  return version
}
