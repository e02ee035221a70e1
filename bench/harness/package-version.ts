import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The version of a package that is installed, whatever it exports. */
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
