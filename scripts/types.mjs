// Checks the types of programs that use the package (`__test__/consumers`) as users may have it:
// with older and newer compilers, each way to find modules, without the DOM, and with the
// declarations of the package checked, too. Downloads the older compilers once.
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install } from './install-runtime.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const compilers = {
  7: join(root, 'node_modules', '@typescript', 'native', 'bin', 'tsc'),
  5.9: install('typescript@5.9.3', 'tsc'),
  5.4: install('typescript@5.4.5', 'tsc'),
}
const NO_DOM = ['--lib', 'es2022']
const NODENEXT = ['--module', 'nodenext', '--moduleResolution', 'nodenext']
const NODE16 = ['--module', 'node16', '--moduleResolution', 'node16']
const BUNDLER = ['--module', 'preserve', '--moduleResolution', 'bundler']

const results = await Promise.all([
  check(7, NODENEXT),
  check(7, [...NODENEXT, ...NO_DOM]),
  check(7, [...NODE16, ...NO_DOM]),
  check(7, [...BUNDLER, ...NO_DOM]),
  check(5.9, [...NODENEXT, ...NO_DOM]),
  check(5.9, [...BUNDLER, ...NO_DOM]),
  check(5.4, [...NODE16, ...NO_DOM]),
  check(5.4, [...BUNDLER, ...NO_DOM]),
])
for (const [version, options, found] of results)
  if (found !== '') console.error(`TypeScript ${version} ${options.join(' ')}:\n${found}`)
if (results.some(([, , found]) => found !== '')) process.exitCode = 1

/** What a compiler finds wrong. */
function check(version, options) {
  const args = [compilers[version], '-p', join('__test__', 'consumers', 'tsconfig.json'), ...options]
  return new Promise(resolve => {
    execFile(process.execPath, args, { cwd: root }, (error, stdout, stderr) =>
      resolve([version, options, error ? stdout + stderr || error.message : '']),
    )
  })
}
