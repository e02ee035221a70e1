// Part of `npm run build:ts`: puts the modules that `tsc` has left in build/modules into two files of
// dist/. To find and read 240 files takes longer than to run what is in them. A module still runs
// when it is first required, and a door requires a module of its folder when a name that it exports
// is first read. So a program runs only what it uses.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import posix from 'node:path/posix'
import { fileURLToPath } from 'node:url'
import { entries } from './entries.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const [compiled, dist] = [join(root, 'build', 'modules'), join(root, 'dist')]

/**
 * What a child process, and the worker of a pool, runs first. These modules and what they import
 * lie in a file without the rest: reading takes time, too.
 */
const FIRST = ['process/child.js', 'pool/worker-main.js', 'queues/pipe.js', 'memory/shared-memory.js']

const loader = `'use strict'
const { join } = require('node:path')
const made = {}

/** The exports of a module, which is made at the first call. */
function load(path) {
  if (path in made) return made[path]
  const exports = (made[path] = {})
  try {
    ;(modules[path] ?? rest()[path])(exports, load, join(__dirname, path, '..'))
  } catch (error) {
    delete made[path]
    throw error
  }
  return exports
}

let others
const rest = () => (others ??= require('./more-modules.js')(__lend))

/** Lends a name of another module, which is made when the name is first read. */
function __lend(exports, name, path, from = name) {
  const lasting = { enumerable: true, configurable: true, writable: true }
  Object.defineProperty(exports, name, {
    enumerable: true,
    configurable: true,
    get() {
      const value = load(path)[from]
      // From now on it is a plain property: each use of a getter costs some nanoseconds.
      Reflect.defineProperty(exports, name, { ...lasting, value })
      return value
    },
  })
}

exports.load = load
`

/** How the compiler writes what a door exports of another module. */
const REQUIRED = /^var (\w+) = require\("(\.[^"]+)"\);\n/gm
const GETTER = /^Object\.defineProperty\(exports, "(\w+)", \{.* return (\w+)\.(\w+); \} \}\);\n/gm

const texts = new Map(
  readdirSync(compiled, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.js'))
    .sort()
    .map(path => [path.replaceAll('\\', '/'), readFileSync(join(compiled, path), 'utf8')]),
)

for (const name of readdirSync(dist)) {
  if (name !== 'addon' && !/\.d\.m?ts$/.test(name)) rmSync(join(dist, name), { recursive: true })
}
const early = neededBy([...FIRST, ...[...texts.keys()].filter(isDoor)])
write('modules.js', `${loader}const modules = ${tableOf(path => early.has(path))}\n`)
write('more-modules.js', `'use strict'\nmodule.exports = __lend => (${tableOf(path => !early.has(path))})\n`)
for (const path of programs()) write(path, programOf(path))
for (const entry of entries) copyFileSync(join(compiled, `${entry}.mjs`), join(dist, `${entry}.mjs`))

function write(path, text) {
  mkdirSync(dirname(join(dist, path)), { recursive: true })
  writeFileSync(join(dist, path), text)
}

/**
 * Modules as functions, by their paths. Most of them run, so they stand in parentheses: by these,
 * V8 compiles a function at once, and not twice.
 */
function tableOf(isWanted) {
  const rows = [...texts].filter(([path]) => isWanted(path)).map(([path, text]) => functionOf(path, text))
  return `{\n${rows.join(',\n')}\n}`
}

function functionOf(path, text) {
  const body = (isDoor(path) ? withLoans(path, text) : text)
    .replace(/^#!.*\n/, '')
    .replace(/\brequire\((['"])(\.[^'"]+)\1\)/g, (_, _quote, to) => {
      const target = targetOf(path, to)
      return texts.has(target) ? `__load('${target}')` : `require('./${posix.relative('../dist', target)}')`
    })
    .replace(
      /\bimport\((['"])(\.[^'"]+)\1\)/g,
      (_, _quote, to) => `Promise.resolve(__load('${targetOf(path, to)}'))`,
    )
  return `'${path}': (function (exports, __load, __dirname) {\n${body}})`
}

function isDoor(path) {
  return posix.basename(path) === 'index.js' && texts.has(path)
}

function targetOf(path, to) {
  return posix.join(posix.dirname(path), to)
}

/** The compiler writes `export { x } from './y.js'` as a getter of a module that it requires. */
function withLoans(path, text) {
  const loans = [...loansOf(path)].map(
    ([name, [from, its]]) => `__lend(exports, '${name}', '${from}', '${its}');`,
  )
  return `${text.replace(REQUIRED, '').replace(GETTER, '')}${loans.join('\n')}\n`
}

/** What a door exports of other modules: where they are, and what it is called there. */
function loansOf(path) {
  const text = texts.get(path)
  const sources = new Map(
    [...text.matchAll(REQUIRED)].map(([, variable, to]) => [variable, targetOf(path, to)]),
  )
  return new Map(
    [...text.matchAll(GETTER)].map(([, name, variable, its]) => [name, [sources.get(variable), its]]),
  )
}

/** Modules, and all that they import; of a folder, what states the names that are imported. */
function neededBy(wanted) {
  const needed = new Set()
  const add = path => {
    if (needed.has(path) || !texts.has(path)) return
    needed.add(path)
    // It imports all classes, and opens few of them.
    if (path === 'open.js' || isDoor(path)) return
    const text = texts.get(path)
    for (const [, variable, to] of text.matchAll(/^(?:const (\w+) = )?require\("(\.[^"]+)"\);$/gm)) {
      const target = targetOf(path, to)
      add(target)
      const loans = isDoor(target) ? loansOf(target) : new Map()
      for (const [, name] of text.matchAll(new RegExp(`\\b${variable}\\.(\\w+)`, 'g'))) {
        if (loans.has(name)) add(loans.get(name)[0])
      }
    }
  }
  wanted.forEach(add)
  return needed
}

/** What is started by its file: the package, its command, and what the modules start by path. */
function programs() {
  const started = [...texts].flatMap(([path, text]) =>
    [...text.matchAll(/\(__dirname, '([\w-]+\.js)'\)/g)].map(([, name]) => targetOf(path, name)),
  )
  return [...entries.map(entry => `${entry}.js`), 'cli/main.js', ...started]
}

function programOf(path) {
  const text = texts.get(path)
  const [shebang = ''] = /^#!.*\n/.exec(text) ?? []
  // Those who read names out of this file, as Node does for ES modules, know this form.
  const lists = [...text.matchAll(/^(exports\.[\w. =]*?) = void 0;$/gm)]
  const names = lists.flatMap(([, list]) => list.replaceAll('exports.', '').split(' = '))
  const hint = names.length > 0 ? `0 && (module.exports = { ${names.join(', ')} })\n` : ''
  const modules = posix.relative(posix.dirname(path), 'modules.js')
  const from = modules.startsWith('.') ? modules : `./${modules}`
  return `${shebang}'use strict'\n${hint}const { load } = require('${from}')\nmodule.exports = load('${path}')\n`
}
