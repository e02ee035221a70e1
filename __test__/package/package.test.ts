import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { intendedNames, shippedNames } from '../helpers/declarations.js'
import { unique } from '../helpers/domain.js'
import { root } from '../helpers/paths.js'
import { installPublished, packedPaths } from '../helpers/published.js'

test('the published package works from ES modules, CommonJS and its command', t => {
  const folder = mkdtempSync(join(tmpdir(), 'crossmem-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  installPublished(folder)
  const name = unique('published')
  writeFileSync(
    join(folder, 'user.mjs'),
    `import { createRequire } from 'node:module'
import { CrossmemError, NDArray, SharedMemory } from 'crossmem'
const cjs = createRequire(import.meta.url)('crossmem')
const made = NDArray.create('${name}', { shape: [3], fill: 2 })
console.log(cjs.NDArray.open('${name}').get(1), cjs.SharedMemory === SharedMemory, cjs.CrossmemError === CrossmemError)
made.close()
`,
  )
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  t.is(run('user.mjs'), '2 true true\n')
  const manifest = join(folder, 'node_modules', 'crossmem', 'package.json')
  const { bin, scripts = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    bin: Record<string, string>
    scripts?: Record<string, string>
  }
  t.deepEqual(
    JSON.parse(run(join('node_modules', 'crossmem', bin.crossmem as string), 'ls', '--json')).objects,
    [],
  )
  t.false(['preinstall', 'install', 'postinstall'].some(script => script in scripts))
})

test('each entry has a file of declarations for each kind of module, and one for what they share', t => {
  const declarations = packedPaths().filter(path => /\.d\.[cm]?ts$/.test(path))
  t.deepEqual(declarations.sort(), [
    'dist/declarations.d.ts',
    'dist/index.d.mts',
    'dist/index.d.ts',
    'dist/map/index.d.mts',
    'dist/map/index.d.ts',
  ])
})

test('the main package has no addon, and nothing of the sources', t => {
  const strays = packedPaths().filter(path =>
    /\.node$|__test__|^(src|crates|build|scripts|bench)\//.test(path),
  )
  t.deepEqual(strays, [])
})

test('the declarations export exactly what the entries in src/ export', t => {
  t.deepEqual(shippedNames().sort(), intendedNames().sort())
})

test('exports are plain properties, since each use of a getter costs time', t => {
  const dist = join(root, 'dist')
  const doors = readdirSync(dist).filter(name => existsSync(join(dist, name, 'index.js')) && name !== 'addon')
  t.true(doors.length > 10)
  for (const door of ['.', ...doors]) {
    const exported = Object.getOwnPropertyDescriptors(require(join(dist, door, 'index.js')) as object)
    for (const [name, { get }] of Object.entries(exported)) t.is(get, undefined, `${door}: ${name}`)
  }
})
