import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { PLATFORMS } from '../../src/native/platforms.js'
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

/** Installs a package for a platform, whose addon is a program. */
function provide(folder: string, platform: string, program: string): void {
  const package_ = join(folder, 'dist', 'node_modules', `crossmem-${platform}`)
  mkdirSync(package_, { recursive: true })
  writeFileSync(join(package_, 'package.json'), JSON.stringify({ version: '0.0.0', main: 'index.js' }))
  writeFileSync(join(package_, 'index.js'), program)
}

/** A line that makes a process look like one of another system. */
const pretend = (system: { platform: string; arch: string }): string =>
  `for (const [key, value] of Object.entries(${JSON.stringify(system)}))
    Object.defineProperty(process, key, { value })`

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
    t.is(code, 'ERR_UNSUPPORTED_PLATFORM')
    t.regex(message as string, /needs Node 20 or later/)
  })

  test('a Node that is too old is refused by ES modules and by the command, before anything else', t => {
    const older = join(mkdtempSync(join(tmpdir(), 'crossmem-')), 'older.cjs')
    writeFileSync(older, "Object.defineProperty(process.versions, 'node', { value: '18.20.8' })")
    t.teardown(() => rmSync(dirname(older), { recursive: true }))
    const run = (...args: string[]) =>
      spawnSync(process.execPath, ['--require', older, ...args], { encoding: 'utf8' })
    const entry = pathToFileURL(join(root, 'dist', 'index.mjs')).href
    const module = run('--input-type=module', '--eval', `import { Mutex } from '${entry}'`)
    t.regex(module.stderr, /CrossmemError: crossmem needs Node 20 or later, and this is v/)
    for (const args of [['ls'], ['doctor'], ['--help'], ['--version'], ['no-such-command']]) {
      const command = run(join(root, 'dist', 'cli', 'main.js'), ...args)
      t.regex(
        command.stderr,
        /^crossmem: crossmem needs Node 20 or later, and this is v[\d.]+ \(ERR_UNSUPPORTED_PLATFORM\)\n$/,
      )
      t.is(command.stdout, '')
      t.not(command.status, 0)
    }
  })

  test('a missing package of the platform is named, with what to do', t => {
    const { addon, entry } = copy(t)
    rmSync(binaryOf(addon))
    const { code, message } = load(entry)
    t.is(code, 'ERR_UNSUPPORTED_PLATFORM')
    t.regex(
      message as string,
      /the package crossmem-[\w-]+, .* is not installed \(no other one is\); .*without --omit=optional/,
    )
  })

  test('packages that were installed on another platform are named', t => {
    const { folder, addon, entry } = copy(t)
    rmSync(binaryOf(addon))
    const others = ['linux-arm64-musl', 'win32-arm64-msvc']
    for (const platform of others) provide(folder, platform, '')
    const { code, message } = load(entry)
    t.is(code, 'ERR_UNSUPPORTED_PLATFORM')
    t.regex(
      message as string,
      /is not installed \(crossmem-linux-arm64-musl and crossmem-win32-arm64-msvc is, which is for another/,
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
      ['sunos', 'x64', /no native addon for sunos-x64; it has one for /],
      ['win32', 'ia32', /no native addon for win32-ia32-msvc; it has one for /],
      ['win32', 'arm64', /the package crossmem-win32-arm64-msvc, .* is not installed/],
      ['darwin', 'x64', /the package crossmem-darwin-x64, .* is not installed/],
    ] as const) {
      const { code, message } = load(entry, [], pretend({ platform, arch }))
      t.is(code, 'ERR_UNSUPPORTED_PLATFORM')
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

  test('musl, the C library of Alpine, has a package of its own', t => {
    const { addon, entry } = copy(t)
    rmSync(binaryOf(addon))
    const alpine = `${pretend({ platform: 'linux', arch: 'x64' })}
      const fs = require('fs')
      const { readFileSync } = fs
      fs.readFileSync = (path, ...rest) => path === '/usr/bin/ldd' ? 'musl' : readFileSync(path, ...rest)`
    const { code, message } = load(entry, [], alpine)
    t.is(code, 'ERR_UNSUPPORTED_PLATFORM')
    t.regex(message as string, /the package crossmem-linux-x64-musl, .* is not installed/)
  })

  test("where /usr/bin/ldd can't be read, Node's report tells the C library", t => {
    const { addon, entry } = copy(t)
    rmSync(binaryOf(addon))
    for (const [report, platform] of [
      [{ header: { glibcVersionRuntime: '2.36' } }, 'linux-arm64-gnu'],
      [{ header: {}, sharedObjects: ['/lib/ld-musl-aarch64.so.1'] }, 'linux-arm64-musl'],
    ] as const) {
      const system = `${pretend({ platform: 'linux', arch: 'arm64' })}
        const fs = require('fs')
        const { readFileSync } = fs
        fs.readFileSync = (path, ...rest) => {
          if (path === '/usr/bin/ldd') throw new Error('ENOENT')
          return readFileSync(path, ...rest)
        }
        process.report.getReport = () => (${JSON.stringify(report)})`
      const { code, message } = load(entry, [], system)
      t.is(code, 'ERR_UNSUPPORTED_PLATFORM')
      t.true(message?.includes(`the package crossmem-${platform}, `), message)
    }
  })

  test('a binary for another C library, or for a newer one, is told as that', t => {
    const { folder, addon, entry } = copy(t)
    rmSync(binaryOf(addon))
    for (const [says, words] of [
      [
        'Error loading shared library libgcc_s.so.1: No such file (needed by …)',
        /built for another C library/,
      ],
      ['Error relocating addon.node: gnu_get_libc_version: symbol not found', /built for another C library/],
      ['libc.musl-x86_64.so.1: cannot open shared object file', /built for another C library/],
      ['/usr/lib/x86_64-linux-gnu/libc.so: invalid ELF header', /built for another C library/],
      ["/lib/libc.so.6: version `GLIBC_2.28' not found", /C library is too old.*GLIBC_2\.28/],
    ] as const) {
      provide(folder, 'linux-x64-gnu', `throw new Error(${JSON.stringify(says)})`)
      const { code, message } = load(entry, [], pretend({ platform: 'linux', arch: 'x64' }))
      t.is(code, 'ERR_UNSUPPORTED_PLATFORM', says)
      t.regex(message as string, words)
    }
  })

  test('the loader knows the platforms that packages are made for', t => {
    const { napi } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      napi: { targets: string[] }
    }
    t.is(PLATFORMS.length, napi.targets.length)
    const loader = readFileSync(join(root, 'dist', 'addon', 'index.js'), 'utf8')
    for (const platform of PLATFORMS) t.true(loader.includes(`require('crossmem-${platform}')`), platform)
  })
}
