import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import test from 'ava'
import { Pool } from 'crossmem'
import { intendedNames, shippedNames } from '../helpers/declarations.js'
import { unique } from '../helpers/domain.js'
import { fixture, root } from '../helpers/paths.js'
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
const redis = await import('crossmem/redis')
const required = createRequire(import.meta.url)('crossmem/redis')
console.log(redis.connect === required.connect, redis.CrossmemError === CrossmemError)
`,
  )
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  t.is(run('user.mjs'), '2 true true\ntrue true\n')
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
    ...['index', 'manager', 'map', 'redis'].flatMap(entry => [`dist/${entry}.d.mts`, `dist/${entry}.d.ts`]),
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

const { load } = require(join(root, 'dist', 'modules.js')) as { load(path: string): Record<string, unknown> }

test('exports become plain properties when they are read, since each use of a getter costs time', t => {
  const source = join(root, 'src')
  const doors = readdirSync(source).filter(name => existsSync(join(source, name, 'index.ts')))
  t.true(doors.length > 10)
  for (const door of ['.', ...doors]) {
    const exported = load(join(door, 'index.js'))
    for (const name of Object.keys(exported)) {
      t.not(exported[name], undefined, `${door}: ${name}`)
      t.is(Object.getOwnPropertyDescriptor(exported, name)?.get, undefined, `${door}: ${name}`)
    }
  }
})

/** The files of the package that a program has read when it ends. */
function filesReadBy(program: string): string[] {
  const script = `${program}; console.log(JSON.stringify(Object.keys(require.cache)))`
  const read = execFileSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' })
  return ofPackage(JSON.parse(read))
}

const ofPackage = (paths: string[]): string[] =>
  paths
    .filter(path => path.startsWith(join(root, 'dist')) && !path.includes('addon'))
    .map(path => basename(path))
    .sort()

test('requiring the package reads what a first use needs, and the rest when that is used', t => {
  t.deepEqual(filesReadBy("require('crossmem').Pipe"), ['index.js', 'modules.js'])
  t.deepEqual(filesReadBy("require('crossmem').Mutex"), ['index.js', 'modules.js', 'more-modules.js'])
})

test('a worker of a pool reads only the modules that child processes need', async t => {
  await using pool = new Pool<typeof import('../fixtures/package/files-read.js')>(
    fixture('package/files-read'),
    { workers: 1 },
  )
  t.deepEqual(ofPackage(await pool.apply('filesRead')), ['child.js', 'modules.js', 'worker-main.js'])
})
