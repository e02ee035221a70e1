// `node scripts/workflows.mjs`: what actionlint and zizmor find in .github/. Both come with the
// project's Python (`scripts/python.mjs`), and ask no server.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { python } from './python.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const { path, reason } = python()
if (path === null) {
  console.error(`workflows: ${reason}`)
  process.exit(1)
}
for (const [linter, ...args] of [
  ['actionlint'],
  ['zizmor', '--offline', '--no-progress', '--quiet', '--color', 'never', '.github'],
]) {
  const { status, error } = spawnSync(join(dirname(path), linter), args, { cwd: root, stdio: 'inherit' })
  if (error) console.error(`${linter}: ${error.message}`)
  if (status !== 0) process.exitCode = 1
}
