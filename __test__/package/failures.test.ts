import { spawnSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { folder } from '../helpers/folder.js'
import { root } from '../helpers/paths.js'

interface Failure {
  name: string
  lines: string[]
}

const script = import(pathToFileURL(join(root, 'scripts', 'failures.mjs')).href) as Promise<{
  failuresIn(printed: string): Failure[]
  summary(failures: readonly Failure[], room: number): string[]
}>

const namesOf = (failures: readonly Failure[]): string[] => failures.map(({ name }) => name)

/** What ava prints of tests that fail in all ways. */
function avaOutput(at: string): string {
  symlinkSync(join(root, 'node_modules'), join(at, 'node_modules'), 'junction')
  writeFileSync(join(at, 'package.json'), '{ "ava": { "files": ["*.test.js"] } }')
  const program = (name: string, body: string) =>
    writeFileSync(join(at, `${name}.test.js`), `const test = require('ava').default\n${body}`)
  program(
    'some',
    `test('adds', t => { t.is(1 + 1, 3) })
test('adds more', t => { t.is(1 + 1, 3, 'with a message') })
test('throws', async () => { throw new TypeError('no such thing') })
test('passes', t => t.pass())`,
  )
  program('ends', 'process.exit(3)')
  program(
    'throws-later',
    `test('waits', async t => {
  setTimeout(() => { throw new Error('too late') })
  await new Promise(() => {})
})`,
  )
  const ava = join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs')
  const { stdout, stderr } = spawnSync(process.execPath, [ava], { cwd: at, encoding: 'utf8' })
  return stdout + stderr
}

test('every failure of ava is named, with its error', async t => {
  const { failuresIn } = await script
  const found = failuresIn(avaOutput(folder(t)))
  for (const [name, error] of [
    ['some › adds', '- 2'],
    ['some › adds more', 'with a message'],
    ['some › throws', 'no such thing'],
    ['Uncaught exception in throws-later.test.js', 'Error: too late'],
    ['Exiting due to process.exit() when running ends.test.js', 'Unexpected process.exit()'],
  ] as const) {
    const failure = found.find(one => one.name === name)
    t.true(failure?.lines.join('\n').includes(error), `${name} in ${JSON.stringify(found, undefined, 2)}`)
  }
  t.false(found.some(({ name }) => name.includes('passes')))
})

const CARGO = `   Compiling crossmem-core v0.1.0
     Running unittests src/lib.rs (target/debug/deps/crossmem_core-c572)

running 3 tests
test locks::is_fair ... FAILED
test locks::says ... FAILED
test locks::fine ... ok

failures:

---- locks::says stdout ----
Error: "it said no"

---- locks::is_fair stdout ----

thread 'locks::is_fair' (3945) panicked at crates/core/src/locks/mod.rs:1:45:
assertion \`left == right\` failed: shares differ
  left: 1
 right: 2
note: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace


failures:
    locks::is_fair
    locks::says

test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.17s

error: test failed, to rerun pass \`--lib\`
     Running tests/crash.rs (target/debug/deps/crash-be44)

running 1 test
error: test failed, to rerun pass \`--test crash\`

Caused by:
  process didn't exit successfully: \`target/debug/deps/crash-be44\` (signal: 11, SIGSEGV: invalid memory reference)
error: 2 targets failed:
    \`--lib\`
    \`--test crash\`
`

test('every failure of cargo is named, with its error: of a test, of a program that crashes, and of the compiler', async t => {
  const { failuresIn } = await script
  const found = failuresIn(CARGO)
  t.deepEqual(namesOf(found), [
    'locks::says',
    'locks::is_fair',
    'error: test failed, to rerun pass `--test crash`',
  ])
  t.deepEqual(found[0]?.lines, ['Error: "it said no"'])
  t.deepEqual(found[1]?.lines.slice(1), [
    'assertion `left == right` failed: shares differ',
    '  left: 1',
    ' right: 2',
  ])
  t.regex(found[2]?.lines[1] ?? '', /SIGSEGV/)

  const compiler = `error[E0308]: mismatched types\n --> tests/a.rs:1:28\n\nerror: could not compile \`a\` due to 1 previous error`
  t.deepEqual(failuresIn(compiler), [
    { name: 'error[E0308]: mismatched types', lines: [' --> tests/a.rs:1:28'] },
  ])
  t.deepEqual(namesOf(failuresIn('VIOLATION: put: a message was lost\n40 passed, 1 failed')), [
    'put: a message was lost',
  ])
})

test('a summary has all names, and no more lines than there is room for', async t => {
  const { summary } = await script
  const failures = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ name: `test ${i}`, lines: ['first', 'x'.repeat(500)] }))
  t.deepEqual(summary(failures(1), 10)[1], '    first')
  t.true(summary(failures(1), 10).every(line => line.length <= 160))
  for (const count of [0, 1, 3, 9, 10]) {
    const lines = summary(failures(count), 10)
    t.true(lines.length <= 10)
    t.is(lines.filter(line => line.startsWith('test ')).length, count)
  }
  const crowd = summary(failures(30), 10)
  t.is(crowd.length, 10)
  t.is(crowd.at(-1), 'and 21 more')
})
