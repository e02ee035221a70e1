import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const home = join(dirname(fileURLToPath(import.meta.url)), '..', 'node_modules', '.cache', 'runtimes')

/** Installs a runtime from npm, unless that was done before. Returns the path of its program. */
export function install(spec, binary) {
  const folder = join(home, spec.replace('@', '-'))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{}')
  console.error(`runtimes: ${spec} …`)
  const installed = spawnSync('npm', ['install', '--no-audit', '--no-fund', spec], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (installed.status !== 0) throw new Error(`${spec}: ${installed.stderr}`)
  return join(folder, 'node_modules', '.bin', binary)
}
