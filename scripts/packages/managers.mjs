// `node scripts/packages/managers.mjs [FOLDER]`: installs the packages that were made (`npm run
// packages`) by every package manager, each in an empty project, and runs the first example of the
// README there. Prints a table, and fails if a manager does. It downloads the managers, so it is no
// part of `.ci/run`.
//   --only pnpm@11  one of them
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { install } from '../install-runtime.mjs'
import { serve } from './registry.mjs'
import { main, root } from './set.mjs'

/** For each: its package and program, how it adds a package, and how it runs a file. */
const MANAGERS = [
  { spec: 'npm@11', add: ['install'] },
  { spec: 'npm@10', add: ['install'] },
  { spec: 'pnpm@11', add: ['add'] },
  { spec: 'pnpm@12.4.2', add: ['add'] },
  { spec: '@yarnpkg/cli-dist@4', binary: 'yarn', linker: 'node-modules', add: ['add'] },
  { spec: '@yarnpkg/cli-dist@4', binary: 'yarn', linker: 'pnp', add: ['add'], run: ['node'] },
  { spec: 'bun@latest', add: ['add'], run: ['run'] },
  { spec: 'deno@latest', add: ['add'], prefix: 'npm:', run: ['run', '-A'] },
]

const { values, positionals } = parseArgs({
  options: { only: { type: 'string' } },
  allowPositionals: true,
})
const registry = await serve(positionals[0] ?? join(root, 'build', 'packages'))
const [, example, prints] = readFileSync(join(root, 'README.md'), 'utf8').match(
  /```js\n(.*?)```\s*```text\n(.*?)```/s,
)
// pnpm needs a newer Node than crossmem does.
const node = install('node@24', 'node')
const results = []
for (const manager of MANAGERS) {
  if (values.only === undefined || values.only === manager.spec) results.push(await attempt(manager))
}
registry.close()
console.log('| manager | version | install | says | README example |\n| --- | --- | --- | --- | --- |')
for (const cells of results) console.log(`| ${cells.join(' | ')} |`)
if (results.some(cells => cells.includes('FAILED'))) process.exitCode = 1

async function attempt({ spec, binary = spec.split('@')[0], linker, add, prefix = '', run }) {
  const program = install(spec, binary)
  const project = mkdtempSync(join(tmpdir(), 'crossmem-manager-'))
  const env = environment(project, linker)
  try {
    mkdirSync(join(project, 'app'))
    const cwd = join(project, 'app')
    writeFileSync(join(cwd, 'package.json'), '{ "private": true, "type": "module" }')
    writeFileSync(join(cwd, '.npmrc'), `registry=${registry.url}/\n`)
    // Yarn asks for a lock file where a project begins.
    if (linker) writeFileSync(join(cwd, 'yarn.lock'), '')
    writeFileSync(join(cwd, 'example.mjs'), example)
    const version = (await start(program, ['--version'], { cwd, env })).stdout.split('\n')[0]
    const added = await start(program, [...add, `${prefix}${main.name}`], { cwd, env })
    const [command, args] = run ? [program, run] : [node, []]
    const ran = await start(command, [...args, 'example.mjs'], { cwd, env })
    const plain = text => text.replace(/\s+/g, '')
    const isRight = ran.status === 0 && plain(ran.stdout) === plain(prints)
    if (added.status !== 0) console.error(`${spec}: ${added.stdout}${added.stderr}`)
    if (!isRight) console.error(`${spec}: ${ran.stdout}${ran.stderr}`)
    return [
      linker ? `${binary}, ${linker}` : binary,
      version,
      added.status === 0 ? 'ok' : 'FAILED',
      remarks(added.stdout + added.stderr),
      isRight ? 'ok' : 'FAILED',
    ]
  } finally {
    rmSync(project, { recursive: true })
  }
}

/** Warnings of scripts that were not run, of peers and the like; «nothing» if there are none. */
function remarks(text) {
  // Yarn marks what it says with numbers: 0, 13 and 85 are its steps and what was added.
  const found = text.split('\n').filter(line => /warn|ignored|deprecat|peer|YN0(?!000|013|085)/i.test(line))
  return found.length > 0 ? found.join(' ').slice(0, 200) : 'nothing'
}

/** The variables by which each manager takes the registry here, and keeps nothing elsewhere. */
function environment(project, linker) {
  return {
    ...process.env,
    PATH: [dirname(node), process.env.PATH].join(delimiter),
    HOME: project,
    CROSSMEM_DOMAIN: `managers-${process.pid}`,
    NPM_CONFIG_REGISTRY: registry.url,
    YARN_NPM_REGISTRY_SERVER: registry.url,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_ENABLE_TELEMETRY: '0',
    YARN_NODE_LINKER: linker,
    YARN_GLOBAL_FOLDER: join(project, 'yarn'),
    npm_config_cache: join(project, 'npm'),
    pnpm_config_store_dir: join(project, 'pnpm'),
    BUN_INSTALL_CACHE_DIR: join(project, 'bun'),
    DENO_DIR: join(project, 'deno'),
  }
}

/** Runs a program to its end. Not synchronously: the registry answers from this process. */
function start(command, args, options) {
  return new Promise(resolve => {
    const child = spawn(command, args, options)
    const said = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr']) {
      child[stream].on('data', chunk => {
        said[stream] += chunk
      })
    }
    child.on('close', status => resolve({ status, ...said }))
    child.on('error', error => resolve({ status: 1, ...said, stderr: String(error) }))
  })
}
