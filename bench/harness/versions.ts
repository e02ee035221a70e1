import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from './machine.js'
import { packageVersion } from './package-version.js'
import { root } from './root.js'

const PACKAGES = ['proper-lockfile', 'ringbuf.js', 'zeromq', '@redis/client', 'lmdb']
const CRATES = ['rtrb', 'crossbeam-queue']

/**
 * Versions of the peers from npm and Cargo. Other peers report their versions at run time, and have
 * them in their names.
 */
export const versions = (): Machine => [
  ...PACKAGES.map((name): Machine[0] => [name, packageVersion(name)]),
  ...CRATES.map((name): Machine[0] => [name, crateVersion(name)]),
]

/** The version that Cargo.lock states. */
function crateVersion(name: string): string {
  const lock = readFileSync(join(root, 'Cargo.lock'), 'utf8')
  const [, version] = new RegExp(`name = "${name}"\nversion = "(.+)"`).exec(lock) ?? []
  if (!version) throw new Error(`Cargo.lock has no ${name}`)
  return version
}
