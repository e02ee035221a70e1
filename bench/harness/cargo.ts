import { spawnSync } from 'node:child_process'
import { root } from './root.js'

/** Builds an example of one of the crates, and returns its path. */
export function buildExample(crate: string, example: string): string {
  const args = ['build', '--release', '--locked', '--message-format=json', '-p', crate, '--example', example]
  const built = spawnSync('cargo', args, { cwd: root, encoding: 'utf8' })
  const path = built.status === 0 ? artifactIn(built.stdout, example) : undefined
  if (!path) throw new Error(`cargo could not build the example ${example}: ${built.error ?? built.stderr}`)
  return path
}

/** Cargo prints a line of JSON for each artifact. */
function artifactIn(messages: string, example: string): string | undefined {
  for (const line of messages.split('\n')) {
    if (!line.startsWith('{')) continue
    const { executable, filenames, target } = JSON.parse(line) as {
      executable?: string | null
      filenames?: string[]
      target?: { name: string; kind: string[] }
    }
    if (target?.name === example && target.kind.includes('example')) return executable ?? filenames?.[0]
  }
  return undefined
}
