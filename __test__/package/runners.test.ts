import '../helpers/domain.js'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { root } from '../helpers/paths.js'
import { installPublished } from '../helpers/published.js'

const fixtures = join(root, '__test__', 'fixtures', 'package')
const folder = mkdtempSync(join(tmpdir(), 'crossmem-runners-'))

const commonJs = `
const assert = require('node:assert/strict')
const { fork } = require('node:child_process')
const child = require('node:path').join(__dirname, 'users-child.js')
const crossmem = require('crossmem')
const check = globalThis.test ?? globalThis.it ?? require('node:test')
`
const esModule = `
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import * as crossmem from 'crossmem'
const child = fileURLToPath(new URL('users-child.js', import.meta.url))
const check = globalThis.test
`

/** Jest alone can load a package anew. */
const copies = `
const { between } = require('./two-copies.js')
test('copies before and after resetModules work together', async () => {
  const before = require('crossmem')
  jest.resetModules()
  const after = require('crossmem')
  expect(after).not.toBe(before)
  await between(before, after)
  await between(after, before)
})
`

test.before(() => {
  installPublished(folder)
  writeFileSync(join(folder, 'package.json'), '{}')
  cpSync(join(fixtures, 'users-child.js'), join(folder, 'users-child.js'))
  const suite = readFileSync(join(fixtures, 'users-suite.js'), 'utf8')
  writeFileSync(join(folder, 'suite.test.js'), commonJs + suite)
  writeFileSync(join(folder, 'suite.test.mjs'), esModule + suite)
  cpSync(join(fixtures, 'two-copies.js'), join(folder, 'two-copies.js'))
  writeFileSync(join(folder, 'copies.test.js'), copies)
})

test.after.always(() => rmSync(folder, { recursive: true }))

const installed = (...path: string[]): string => join(root, 'node_modules', ...path)
const jest = (version: string): string[] => [
  installed(version, 'bin', 'jest.js'),
  ...['--rootDir', folder, '--testMatch', '**/*.test.js', '--runInBand'],
]
const vitest = (pool: string): string[] => [
  installed('vitest', 'vitest.mjs'),
  ...['run', '--root', folder, '--globals', '--pool', pool, 'suite.test.mjs'],
]

/**
 * Each runner's command, and what it says of tests that passed: six of the suite, one of copies.
 * Mocha's limit of two seconds a test would judge how busy the machine is, so it is off.
 */
const runners: Record<string, [args: string[], says: RegExp]> = {
  'Jest 30': [jest('jest'), /Tests: +7 passed, 7 total/],
  'Jest 29': [jest('jest-29'), /Tests: +7 passed, 7 total/],
  'Vitest, pool forks': [vitest('forks'), /Tests +6 passed \(6\)/],
  'Vitest, pool threads': [vitest('threads'), /Tests +6 passed \(6\)/],
  'Vitest, pool vmForks': [vitest('vmForks'), /Tests +6 passed \(6\)/],
  'Vitest, pool vmThreads': [vitest('vmThreads'), /Tests +6 passed \(6\)/],
  Mocha: [[installed('mocha', 'bin', 'mocha.js'), '--timeout', '0', 'suite.test.js'], /6 passing/],
  'node:test': [['--test', 'suite.test.js'], /pass 6\b/],
}

for (const [runner, [args, says]] of Object.entries(runners)) {
  // One after the other: eight at once keep two cores busy for longer than they allow a test.
  test.serial(`a user's suite passes in ${runner}`, async t => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: { ...env, NO_COLOR: '1', FORCE_COLOR: '0' },
    })
    let printed = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', text => {
        printed += text
      })
    const [code] = await once(child, 'close')
    t.is(code, 0, printed)
    t.regex(printed, says)
  })
}
