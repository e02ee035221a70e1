// The set of packages that a release consists of: `crossmem`, and one package with the addon for
// each target that package.json lists. Without imports from node_modules: the job that publishes
// installs nothing.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export const main = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Where the package.json and README.md of each package with an addon lie. */
export const platformsFolder = join(root, 'npm')

/** The licences that each package has. */
export const LICENCES = ['LICENSE-MIT', 'LICENSE-APACHE']

/**
 * One package: its name, the file that `npm pack` makes of it, and what its package.json and its
 * addon must be.
 *
 * @typedef {{ triple: string, platform: string, name: string, tarball: string, addon: string,
 *   fields: { os: string[], cpu: string[], libc?: string[] } }} PlatformPackage
 */

const PROCESSORS = { x86_64: 'x64', aarch64: 'arm64' }
const SYSTEMS = { linux: 'linux', darwin: 'darwin', windows: 'win32' }
const LIBC = { gnu: ['glibc'], musl: ['musl'] }

/** @type {PlatformPackage[]} */
export const platformPackages = main.napi.targets.map(triple => {
  const [processor, , system, abi] = triple.split('-')
  const [os, cpu] = [SYSTEMS[system], PROCESSORS[processor]]
  const platform = [os, cpu, abi].filter(Boolean).join('-')
  const name = `${main.name}-${platform}`
  return {
    triple,
    platform,
    name,
    tarball: tarballOf(name),
    addon: `${main.napi.binaryName}.${platform}.node`,
    fields: { os: [os], cpu: [cpu], ...(LIBC[abi] && { libc: LIBC[abi] }) },
  }
})

/** What `npm pack` calls a package of this version. */
export function tarballOf(name) {
  return `${name}-${main.version}.tgz`
}
