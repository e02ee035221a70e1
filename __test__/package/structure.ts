import { dirname, join, normalize } from 'node:path/posix'

// What ARCHITECTURE.md's tables of folders allow, and what the imports of the sources do.

/** A folder (its path ends in `/`) or a file at the top of its tree. */
export interface Room {
  path: string
  /** Paths of rooms, or `the addon`. */
  mayImport: readonly string[]
}

/** The rooms below one folder, in the order of the table. */
export interface Tree {
  root: string
  /** Whether others import a folder by its door only: its `index.ts` or `mod.rs`. */
  hasDoors: boolean
  rooms: readonly Room[]
}

interface Import {
  from: string
  /** The file that states what is imported. */
  to: string
  /** The file that the import names: the door, where a door hands on what another file states. */
  through: string
}

/** The addon, built into `dist/`. */
const ADDON = 'the addon'

/**
 * Reads the tables: each stands below a heading that names its folder (`` ### `src/` ``), its first
 * column has the rooms, its last what they may import. "all above" are the rooms of the rows
 * before; "but" takes some away.
 */
export function readTables(page: string): Tree[] {
  const sections = page.split(/^(?=### `)/m).filter(section => section.startsWith('### `'))
  return sections.map(section => {
    const root = /^### `(.*?)`/.exec(section)?.[1] as string
    const rooms: Room[] = []
    for (const row of section.matchAll(/^\| (`.*?) \| .* \| (.*?) \|$/gm)) {
      const [, names = '', allowed = ''] = row
      const [added = '', taken = ''] = allowed.split(/,? but /)
      const above = added.includes('all above') ? rooms.map(room => room.path) : []
      const mayImport = [...above, ...named(added, root)].filter(path => !named(taken, root).includes(path))
      const isAddon = added.includes(ADDON)
      for (const path of named(names, root)) {
        rooms.push({ path, mayImport: isAddon ? [...mayImport, ADDON] : mayImport })
      }
    }
    return { root, hasDoors: /\bdoor\b/.test(section.split('\n|')[0] as string), rooms }
  })
}

function named(cell: string, root: string): string[] {
  return [...cell.matchAll(/`(.*?)`/g)].map(([, path = '']) =>
    path.startsWith('/') ? path.slice(1) : root + path,
  )
}

/** All that `files` (their texts by path) do against the tables; empty when they keep to them. */
export function problemsOf(trees: readonly Tree[], files: ReadonlyMap<string, string>): string[] {
  const problems: string[] = []
  const paths = [...files.keys()]
  const roomOf = roomFinder(trees)
  for (const path of paths) if (!roomOf(path)) problems.push(`${path} is in no folder of the table`)

  const imports = [...files].flatMap(([path, text]) =>
    path.endsWith('.rs') ? rustImports(path, text, files) : typescriptImports(path, text),
  )
  for (const { from, to, through } of imports) {
    const here = roomOf(from)
    if (!here) continue
    if (to === ADDON) {
      if (!here.room.mayImport.includes(ADDON)) problems.push(`${from} imports the addon`)
      continue
    }
    const there = roomOf(to)
    if (!there || there.room === here.room) continue
    if (!allows(here.room, there.room)) problems.push(`${from} may not import ${to}`)
    else if (there.tree.hasDoors && there.tree === here.tree && !isDoor(through, there.room))
      problems.push(`${from} imports ${through} past its door`)
  }
  for (const circle of circles(imports)) problems.push(`a circle: ${circle.join(' → ')}`)
  return [...new Set(problems)]
}

const allows = (here: Room, there: Room): boolean =>
  here.mayImport.some(path => path === there.path || (path.endsWith('/') && there.path.startsWith(path)))

/** A folder inside a folder may have a door of its own. */
const isDoor = (path: string, room: Room): boolean =>
  !room.path.endsWith('/') || /\/(index\.ts|mod\.rs)$/.test(path)

function roomFinder(trees: readonly Tree[]) {
  const all = trees.flatMap(tree => tree.rooms.map(room => ({ tree, room })))
  // A folder inside a folder is its own room: the longest path wins.
  all.sort((a, b) => b.room.path.length - a.room.path.length)
  return (path: string) =>
    all.find(({ room }) => (room.path.endsWith('/') ? path.startsWith(room.path) : path === room.path))
}

/** Every import of a file of TypeScript, of types too. Packages are left out. */
function typescriptImports(path: string, text: string): Import[] {
  const specifiers = text.matchAll(/(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*'(\.{1,2}\/[^']+)'/g)
  return [...specifiers].map(([, specifier = '']) => {
    const to = normalize(join(dirname(path), specifier))
    const source = to.replace(/\.js$/, '.ts').replace(/\.mjs$/, '.mts')
    const file = to.startsWith('dist/addon/') ? ADDON : source
    return { from: path, to: file, through: file }
  })
}

/**
 * Every file that a file of Rust takes something from. A door's `pub use` only hands on, and its
 * tests don't count.
 */
function rustImports(path: string, text: string, files: ReadonlyMap<string, string>): Import[] {
  if (/(^|\/)tests?(\/|\.rs$)/.test(path)) return []
  const code = withoutTests(text).replaceAll(/^\s*pub(?:\([a-z]+\))? use [^;]*;/gm, '')
  return pathsIn(code).flatMap(segments => {
    const found = fileOf(path, segments, files)
    return found && found.to !== path ? [{ from: path, ...found }] : []
  })
}

const withoutTests = (text: string): string =>
  text.replaceAll(/\/\/.*$/gm, '').replace(/#\[cfg\((?:all\()?test[^\n]*\]\s*mod \w+ \{[\s\S]*$/, '')

/** Paths that begin with `crate`, `self` or `super`, those of `use {…}` one by one. */
function pathsIn(code: string): string[][] {
  const uses = [...code.matchAll(/^\s*use ([^;]*);/gm)].flatMap(([, tree = '']) =>
    branches(tree.replaceAll(/\s+/g, ' ')),
  )
  const rest = code.replaceAll(/^\s*use [^;]*;/gm, '')
  const inline = [...rest.matchAll(/\b(?:crate|super)(?:::\w+)+/g)].map(([found]) => found)
  return [...uses, ...inline]
    .map(found => found.split('::').map(segment => segment.trim().replace(/ as .*/, '')))
    .filter(([first = '']) => ['crate', 'self', 'super'].includes(first))
}

/** `a::{b, c::d}` as `a::b` and `a::c::d`. */
function branches(tree: string): string[] {
  const brace = tree.indexOf('{')
  if (brace < 0) return [tree]
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const char of tree.slice(brace + 1, tree.lastIndexOf('}'))) {
    if (char === ',' && depth === 0) {
      parts.push(part)
      part = ''
      continue
    }
    if (char === '{') depth++
    if (char === '}') depth--
    part += char
  }
  if (part.trim() !== '') parts.push(part)
  return parts.flatMap(inner => branches(`${tree.slice(0, brace)}${inner.trim()}`))
}

/**
 * The file that states what a path of Rust names, seen through `pub use` of the doors on the way.
 */
function fileOf(
  from: string,
  segments: readonly string[],
  files: ReadonlyMap<string, string>,
): Omit<Import, 'from'> | undefined {
  const root = `${from.slice(0, from.indexOf('/src/'))}/src`
  let folder = moduleOf(from)
  let rest = [...segments]
  if (rest[0] === 'crate') {
    folder = root
    rest.shift()
  } else if (rest[0] === 'self') rest.shift()
  while (rest[0] === 'super') {
    folder = dirname(folder)
    rest.shift()
  }
  let found = fileOfModule(folder, root, files)
  let through = found
  let isHandedOn = false
  while (rest.length > 0) {
    const inner = join(folder, rest[0] as string)
    const file = fileOfModule(inner, root, files)
    if (file) {
      folder = inner
      found = file
      if (!isHandedOn) through = file
      rest = rest.slice(1)
      continue
    }
    const handed = handedOn(files.get(found ?? '') ?? '', rest[0] as string)
    if (!handed || !found) break
    isHandedOn = true
    rest = [...handed, ...rest.slice(1)]
  }
  return found && through ? { to: found, through } : undefined
}

/** Where a door takes a name from that it hands on, below itself. */
function handedOn(door: string, name: string): string[] | undefined {
  const uses = withoutTests(door).matchAll(/^\s*pub(?:\([a-z]+\))? use ([^;]*);/gm)
  for (const [, tree = ''] of uses) {
    for (const path of branches(tree.replaceAll(/\s+/g, ' '))) {
      const [source = '', alias] = path.trim().split(' as ')
      const segments = source.replace(/^self::/, '').split('::')
      if (
        (alias ?? segments.at(-1)) === name &&
        segments.length > 1 &&
        !['crate', 'super'].includes(segments[0] as string)
      )
        return segments
    }
  }
  return undefined
}

const moduleOf = (path: string): string =>
  /\/(mod|lib|main)\.rs$/.test(path) ? dirname(path) : path.replace(/\.rs$/, '')

function fileOfModule(folder: string, root: string, files: ReadonlyMap<string, string>): string | undefined {
  const names = folder === root ? [`${root}/lib.rs`, `${root}/main.rs`] : [`${folder}/mod.rs`, `${folder}.rs`]
  return names.find(name => files.has(name))
}

/**
 * Files that import each other, one list a circle (Tarjan, "Depth-first search and linear graph
 * algorithms", 1972).
 */
function circles(imports: readonly Import[]): string[][] {
  const next = new Map<string, Set<string>>()
  for (const { from, to } of imports) next.set(from, (next.get(from) ?? new Set()).add(to))
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (file: string): void => {
    order.set(file, order.size)
    low.set(file, order.get(file) as number)
    stack.push(file)
    for (const other of next.get(file) ?? []) {
      if (!order.has(other)) {
        visit(other)
        low.set(file, Math.min(low.get(file) as number, low.get(other) as number))
      } else if (stack.includes(other)) {
        low.set(file, Math.min(low.get(file) as number, order.get(other) as number))
      }
    }
    if (low.get(file) !== order.get(file)) return
    const circle = stack.splice(stack.indexOf(file))
    if (circle.length > 1) found.push(circle)
  }
  for (const file of next.keys()) if (!order.has(file)) visit(file)
  return found
}
