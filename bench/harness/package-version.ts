import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The version of an installed package, even if it doesn't export its package.json. */
export function packageVersion(name: string): string {
  for (let folder = dirname(require.resolve(name)); folder !== dirname(folder); folder = dirname(folder)) {
    const { name: found, version } = packageIn(folder)
    if (found === name && version) return version
  }
  throw new Error(`${name} has no package.json with a version`)
}

function packageIn(folder: string): { name?: string; version?: string } {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return {}
  }
}
