// `node scripts/packages/lint.mjs`: what publint and «Are the types wrong?» find in the packages
// that are made of what is built here.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makePackages } from './make.mjs'
import { main, root, tarballOf } from './set.mjs'

const packages = mkdtempSync(join(tmpdir(), 'crossmem-lint-'))
try {
  const files = makePackages({ addons: join(root, 'dist', 'addon'), into: packages, partial: true })
  for (const file of files) lint('publint', 'src/cli.js', '--strict', join(packages, file))
  // The README asks for the resolution of Node 16 or later, which knows entries such as crossmem/map.
  const types = ['--no-emoji', '--profile', 'node16']
  lint('@arethetypeswrong/cli', 'dist/index.js', ...types, join(packages, tarballOf(main.name)))
} finally {
  rmSync(packages, { recursive: true })
}

function lint(tool, program, ...args) {
  const path = join(root, 'node_modules', tool, program)
  const { status } = spawnSync(process.execPath, [path, ...args], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
