// `node scripts/packages/glibc.mjs FILE…`: whether addons load on all systems with glibc that are
// promised. Needs readelf. The linker of a newer system would silently ask for a newer glibc.
import { spawnSync } from 'node:child_process'
import { isMain } from '../is-main.mjs'

/** The oldest glibc that the packages promise: that of Debian 10, RHEL 8 and Ubuntu 18.10. */
export const OLDEST_GLIBC = '2.28'

/** The newest version of glibc that a file asks for, as `2.28`. */
export function neededGlibc(file) {
  const { status, stdout, stderr, error } = spawnSync('readelf', ['--version-info', '--wide', file], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  if (status !== 0) throw new Error(`readelf ${file}: ${error?.message ?? stderr}`)
  const versions = [...stdout.matchAll(/\bGLIBC_(\d[\d.]*)/g)].map(([, version]) => version)
  if (versions.length === 0) throw new Error(`${file} asks for no version of glibc: is it for glibc at all?`)
  return versions.reduce((newest, version) => (isNewer(version, newest) ? version : newest))
}

/** Whether a version is newer than another one: `2.34` is newer than `2.4`. */
export function isNewer(version, other) {
  return version.localeCompare(other, 'en', { numeric: true }) > 0
}

if (isMain(import.meta.url)) {
  for (const file of process.argv.slice(2)) {
    try {
      const needed = neededGlibc(file)
      console.log(`${file} needs glibc ${needed}`)
      if (isNewer(needed, OLDEST_GLIBC)) throw new Error(`${file} must need no more than ${OLDEST_GLIBC}`)
    } catch ({ message }) {
      console.error(message)
      process.exitCode = 1
    }
  }
}
