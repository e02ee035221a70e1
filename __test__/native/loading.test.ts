import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { root } from '../helpers/paths.js'

const [major = 0] = process.versions.node.split('.').map(Number)
const isNode = !('Bun' in globalThis) && !('Deno' in globalThis)
const permission = major < 22 ? '--experimental-permission' : '--permission'

/** A copy of the package, in which a test may break the addon. */
function copy(t: ExecutionContext): { folder: string; addon: string; entry: string } {
  const folder = mkdtempSync(join(root, 'build', 'loading-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  const addon = join(folder, 'dist', 'addon')
  return { folder, addon, entry: join(folder, 'dist', 'index.js') }
}

/** The error that importing the package gives, or `loaded`. */
function load(
  entry: string,
  flags: string[] = [],
  before = '',
): { code?: string; message?: string; loaded?: true } {
  const program = `${before}
    try { require(${JSON.stringify(entry)}); console.log('{"loaded":true}') }
    catch ({ name, code, message }) { console.log(JSON.stringify({ name, code, message })) }`
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  return JSON.parse(stdout || JSON.stringify({ message: stderr }))
}

const binaryOf = (addon: string): string => {
  const name = readdirSync(addon).find(file => file.endsWith('.node')) as string
  return join(addon, name)
}

if (isNode) {
  const entry = join(root, 'dist', 'index.js')

  test("under Node's permission model, the flag that is missing is named, and is enough", t => {
    const refused = load(entry, [permission, '--allow-fs-read=*'])
    t.is(refused.code, 'ERR_NO_ADDON')
    t.regex(refused.message as string, /add --allow-addons/)
    t.deepEqual(load(entry, [permission, '--allow-fs-read=*', '--allow-addons']), { loaded: true })
  })

  test('--no-addons is named', t => {
    const { code, message } = load(entry, ['--no-addons'])
    t.is(code, 'ERR_NO_ADDON')
    t.regex(message as string, /started with --no-addons.*without that flag/)
  })

  test('a Node that is too old is refused before anything else is loaded', t => {
    const older = "Object.defineProperty(process.versions, 'node', { value: '18.20.8' })"
    const { code, message } = load(entry, [], older)
    t.is(code, 'ERR_UNSUPPORTED')
    t.regex(message as string, /needs Node 20 or later/)
  })

  test('a missing package of the platform is named, with what to do', t => {
    const { addon, entry } = copy(t)
    rmSync(binaryOf(addon))
    const { code, message } = load(entry)
    t.is(code, 'ERR_NO_ADDON')
    t.regex(
      message as string,
      /the package crossmem-[\w-]+, .* is not installed; install without --omit=optional/,
    )
  })

  test('a broken binary, and one of another processor, is told as that', t => {
    const { addon, entry } = copy(t)
    for (const content of ['no library at all', Buffer.alloc(4096)]) {
      writeFileSync(binaryOf(addon), content)
      const { code, message } = load(entry)
      t.is(code, 'ERR_NO_ADDON')
      t.regex(message as string, /broken, or of another platform.*install again/)
    }
  })

  test('a platform or a processor without a binary is told, with those that have one', t => {
    const { addon, entry } = copy(t)
    rmSync(binaryOf(addon))
    for (const [platform, arch, words] of [
      ['linux', 'riscv64', /no native addon for linux-riscv64-gnu; it has one for linux-x64-gnu, /],
      ['freebsd', 'x64', /no native addon for freebsd-x64; it has one for /],
      ['sunos', 'x64', /no native addon for sunos x64; it has one for /],
    ] as const) {
      const other = `for (const [key, value] of Object.entries({ platform: '${platform}', arch: '${arch}' }))
        Object.defineProperty(process, key, { value })`
      const { code, message } = load(entry, [], other)
      t.is(code, 'ERR_NO_ADDON')
      t.regex(message as string, words)
    }
  })

  test('the flags that Deno needs are named', t => {
    const { addon, entry } = copy(t)
    for (const needed of ['ffi access', 'env access to "NAPI_RS_WASI_FLAVOR"']) {
      const flag = needed.slice(0, 3)
      writeFileSync(
        join(addon, 'index.js'),
        `throw new Error('Requires ${needed}, run again with the --allow-${flag} flag')`,
      )
      const { code, message } = load(entry)
      t.is(code, 'ERR_NO_ADDON')
      t.regex(message as string, /add --allow-ffi, --allow-read and --allow-env/)
    }
  })

  test('musl, the C library of Alpine, is told as that', t => {
    const { addon, entry } = copy(t)
    rmSync(binaryOf(addon))
    const alpine = `Object.defineProperty(process, 'platform', { value: 'linux' })
      Object.defineProperty(process, 'arch', { value: 'x64' })
      const fs = require('fs')
      const { readFileSync } = fs
      fs.readFileSync = (path, ...rest) => path === '/usr/bin/ldd' ? 'musl' : readFileSync(path, ...rest)`
    const { code, message } = load(entry, [], alpine)
    t.is(code, 'ERR_NO_ADDON')
    t.regex(message as string, /no native addon for musl.*node:24-slim/)
  })
}
