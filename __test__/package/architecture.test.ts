import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { root } from '../helpers/paths.js'
import { problemsOf, readTables, type Tree } from './structure.js'

const trees = readTables(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'))
const sources = /\.(rs|ts|mts|cts)$/

/** The sources below the folders that the tables are about. */
function sourcesOf(folders: readonly string[]): Map<string, string> {
  const paths = folders.flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map(path => `${folder}${path.replaceAll('\\', '/')}`)
      .filter(path => sources.test(path)),
  )
  return new Map(paths.map(path => [path, readFileSync(join(root, path), 'utf8')]))
}

test('ARCHITECTURE.md has a table for each folder of sources', t => {
  t.deepEqual(
    trees.map(tree => tree.root),
    ['src/', 'crates/core/src/', 'crates/napi/src/', 'crates/torture/src/', 'bench/', '__test__/'],
  )
  for (const { root, rooms } of trees) t.true(rooms.length > 2, root)
})

test('each file lies in a folder of the tables and imports only what its folder may', t => {
  const files = sourcesOf(trees.map(tree => tree.root))
  t.true(files.size > 400)
  t.deepEqual(problemsOf(trees, files), [])
})

test('no line of a comment has more than 100 columns, rows of tables apart', t => {
  const isLong = (line: string) =>
    line.length > 100 && /^\s*(?:\/\/|\/\*|\*)/.test(line) && !/^\s*\S+ \|/.test(line)
  t.true(isLong(`// ${'word '.repeat(20)}`))
  t.false(isLong(`//! | ${'word '.repeat(20)}`))
  for (const [path, text] of sourcesOf(trees.map(tree => tree.root))) {
    t.deepEqual(text.split('\n').filter(isLong), [], path)
  }
})

test('each folder of the tables exists', t => {
  const files = [...sourcesOf(trees.map(tree => tree.root)).keys()]
  for (const { rooms } of trees) {
    for (const { path } of rooms)
      t.true(
        files.some(file => file === path || file.startsWith(path)),
        path,
      )
  }
})

const tables = `
### \`src/\`

A folder is imported by its door only.

| folder | for | may import |
| --- | --- | --- |
| \`errors.ts\` | errors | nothing |
| \`low/\` | low things | \`errors.ts\`, the addon |
| \`high/\`, \`higher/\` | high things | all above but \`errors.ts\` |

### \`core/src/\`

A folder is imported by its door only.

| folder | for | may import |
| --- | --- | --- |
| \`lib.rs\` | exports | all above, \`a/\`, \`b/\` |
| \`a/\` | words | nothing |
| \`b/\` | objects | \`a/\` |
`
// Put together, or the check of this file would take it for an import.
const addon = ['../../dist', 'addon/index.js'].join('/')
const known: Tree[] = readTables(tables)

/** What is wrong with these files. */
const problems = (files: Record<string, string>): string[] =>
  problemsOf(known, new Map(Object.entries(files)))

test('the tables are read with their exceptions', t => {
  t.deepEqual(known[0]?.rooms, [
    { path: 'src/errors.ts', mayImport: [] },
    { path: 'src/low/', mayImport: ['src/errors.ts', 'the addon'] },
    { path: 'src/high/', mayImport: ['src/low/'] },
    { path: 'src/higher/', mayImport: ['src/low/'] },
  ])
})

test('what the tables allow is no problem', t => {
  t.deepEqual(
    problems({
      'src/errors.ts': '',
      'src/low/a.ts': `import { E } from '../errors.js'\nimport * as addon from '${addon}'`,
      'src/low/index.ts': "export { a } from './a.js'",
      'src/high/x.ts': "import { a } from '../low/index.js'\nimport fs from 'node:fs'",
      'core/src/lib.rs': 'mod a;\nmod b;\npub use b::Object;',
      'core/src/a/mod.rs': 'mod words;\npub(crate) use words::Word;',
      'core/src/a/words.rs': 'pub struct Word;',
      'core/src/b/mod.rs':
        'use crate::a::Word;\npub struct Object(Word);\n#[cfg(test)]\nmod tests {\n  use super::*;\n}',
    }),
    [],
  )
})

test('an import that the table does not allow is found', t => {
  t.deepEqual(problems({ 'src/errors.ts': '', 'src/high/x.ts': "import type { E } from '../errors.js'" }), [
    'src/high/x.ts may not import src/errors.ts',
  ])
  t.deepEqual(problems({ 'src/low/a.ts': "await import('../high/index.js')", 'src/high/index.ts': '' }), [
    'src/low/a.ts may not import src/high/index.ts',
  ])
  t.deepEqual(problems({ 'src/high/x.ts': `import '${addon}'` }), ['src/high/x.ts imports the addon'])
  t.deepEqual(
    problems({
      'core/src/a/mod.rs': 'fn f() { crate::b::Object::new(); }',
      'core/src/b/mod.rs': 'pub struct Object;',
    }),
    ['core/src/a/mod.rs may not import core/src/b/mod.rs'],
  )
})

test('an import past a door is found', t => {
  t.deepEqual(problems({ 'src/low/a.ts': '', 'src/high/x.ts': "export { a } from '../low/a.js'" }), [
    'src/high/x.ts imports src/low/a.ts past its door',
  ])
  t.deepEqual(
    problems({
      'core/src/a/mod.rs': 'pub(crate) mod words;',
      'core/src/a/words.rs': 'pub struct Word;',
      'core/src/b/mod.rs': 'use crate::a::words::{Other, Word};',
    }),
    ['core/src/b/mod.rs imports core/src/a/words.rs past its door'],
  )
})

test('a circle of files is found', t => {
  t.deepEqual(
    problems({ 'src/low/a.ts': "import './b.js'", 'src/low/b.ts': "import type { A } from './a.js'" }),
    ['a circle: src/low/a.ts → src/low/b.ts'],
  )
  t.deepEqual(
    problems({
      'core/src/a/mod.rs': 'mod x;\nmod y;\npub(crate) use x::X;',
      'core/src/a/x.rs': 'use super::y::Y;',
      'core/src/a/y.rs': 'use super::X;',
    }),
    ['a circle: core/src/a/x.rs → core/src/a/y.rs'],
  )
})

test('a folder that is not in the table is found', t => {
  t.deepEqual(problems({ 'src/new/a.ts': '' }), ['src/new/a.ts is in no folder of the table'])
})
