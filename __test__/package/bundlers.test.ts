import '../helpers/domain.js'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { root } from '../helpers/paths.js'
import { installPublished } from '../helpers/published.js'

// The recipes of docs/troubleshooting.md for bundlers that are here.

const folder = mkdtempSync(join(tmpdir(), 'crossmem-bundlers-'))

test.before(() => {
  installPublished(folder)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(
    join(folder, 'main.js'),
    `import { NDArray } from 'crossmem'
import { value } from './part.js'
const array = NDArray.create(null, { shape: 3, fill: value })
console.log(NDArray.open(array.name).snapshot().join())
array.close()`,
  )
  writeFileSync(join(folder, 'part.js'), 'export const value = 7')
})

test.after.always(() => rmSync(folder, { recursive: true }))

const node = (...args: string[]): string =>
  execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

const bundlers = {
  'Rollup, with crossmem external': {
    program: ['rollup', 'dist', 'bin', 'rollup'],
    args: ['main.js', '--external', 'crossmem', '--format', 'es', '--file', 'out/rollup.js'],
    out: 'out/rollup.js',
  },
  'vite build --ssr, without a setting': {
    program: ['vite', 'bin', 'vite.js'],
    args: ['build', '--ssr', 'main.js', '--outDir', 'out/vite'],
    out: 'out/vite/main.js',
  },
}

for (const [title, { program, args, out }] of Object.entries(bundlers)) {
  test.serial(`what it builds works: ${title}`, t => {
    node(join(root, 'node_modules', ...program), ...args)
    t.is(node(out), '7,7,7\n')
  })
}
