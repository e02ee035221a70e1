// Brings a clean clone to where everything can run, and does nothing where nothing changed:
// dependencies, the addon, the TypeScript. Has no dependencies itself.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stampFile = join(root, 'node_modules', '.cache', 'crossmem-setup.json')

const steps = [
  {
    name: 'dependencies',
    inputs: ['package-lock.json'],
    outputs: ['node_modules/typescript'],
    // Not `npm ci`: it wants every platform's optional binaries in the lock file, and not every
    // registry has them.
    command: ['npm', 'install', '--no-save', '--no-audit', '--no-fund'],
  },
  {
    name: 'addon',
    inputs: ['Cargo.toml', 'Cargo.lock', 'crates'],
    outputs: ['dist/addon/index.js'],
    command: ['npm', 'run', '--silent', 'build:addon'],
  },
  {
    name: 'typescript',
    inputs: [
      'src',
      '__test__',
      'bench',
      'examples',
      'scripts/declarations.mjs',
      'scripts/modules.mjs',
      'tsconfig.json',
      'tsconfig.build-all.json',
      'package-lock.json',
    ],
    outputs: ['dist/index.js', 'dist/index.d.ts', 'build/__test__'],
    command: ['npm', 'run', '--silent', 'build:ts'],
  },
]

/** Installs and builds what is missing or stale. Exits with the status of the step that failed. */
export function setup() {
  requireTools()
  const stamps = readStamps()
  for (const step of steps) {
    const digest = digestOf(step.inputs)
    const fresh = stamps[step.name] === digest && step.outputs.every(path => existsSync(join(root, path)))
    if (fresh) continue
    console.error(`setup: ${step.name} …`)
    run(...step.command)
    stamps[step.name] = digest
    mkdirSync(dirname(stampFile), { recursive: true })
    writeFileSync(stampFile, JSON.stringify(stamps))
  }
}

/** Runs a command with its output passed through. Exits with its status if it fails. */
export function run(command, ...args) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (result.status !== 0) {
    console.error(
      `failed: ${[command, ...args].join(' ')}${result.error ? ` (${result.error.message})` : ''}`,
    )
    process.exit(result.status ?? 1)
  }
}

function requireTools() {
  if (Number(process.versions.node.split('.')[0]) < 20)
    fail(`Node 20 or later is needed, this is ${process.version}`)
  if (spawnSync('cargo', ['--version'], { shell: process.platform === 'win32' }).status !== 0) {
    fail('Rust is needed: cargo was not found on the PATH')
  }
}

function fail(message) {
  console.error(`setup: ${message}`)
  process.exit(1)
}

function readStamps() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'))
  } catch {
    return {}
  }
}

function digestOf(paths) {
  const hash = createHash('sha256')
    .update(process.version)
    .update(process.platform + process.arch)
  for (const path of paths) addTo(hash, join(root, path))
  return hash.digest('hex')
}

function addTo(hash, path) {
  if (!existsSync(path)) return
  if (statSync(path).isDirectory()) {
    for (const entry of readdirSync(path).sort()) addTo(hash, join(path, entry))
  } else {
    hash.update(path.slice(root.length)).update(readFileSync(path))
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) setup()
