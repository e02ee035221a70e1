// The C library musl, compiled by zig from its source, which every mirror of Debian has. Its package
// for arm64 is only on the mirrors of that architecture, and Debian 12 has a version that is too old.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { run } from '../packages/run.mjs'
import { zigBin } from '../packages/zig.mjs'
import { home } from './home.mjs'

/** Earlier versions don't load a Node of today. */
const MUSL = {
  path: 'pool/main/m/musl/musl_1.2.5.orig.tar.gz',
  folder: 'musl-1.2.5',
  sha256: 'a9a118bbe84d8764da0ea0d28b3ab3fae8477fc7e4085d90102b8596fc7c75e4',
}

/** The path of the library for a processor. It is the interpreter of programs, too. */
export async function musl(arch) {
  const folder = join(home, `musl-${arch}`)
  const source = join(folder, MUSL.folder)
  const library = join(source, 'lib', 'libc.so')
  if (existsSync(library)) return library
  mkdirSync(folder, { recursive: true })
  const archive = join(folder, 'source.tar.gz')
  writeFileSync(archive, await download())
  run('tar', ['-xf', archive, '-C', folder])
  const target = `${arch}-linux-musl`
  const zig = `${join(zigBin(), 'python')} -m ziglang`
  const tools = [`CC=${zig} cc --target=${target}`, `AR=${zig} ar`, `RANLIB=${zig} ranlib`]
  run('./configure', [`--target=${target}`, '--disable-static', ...tools], { cwd: source })
  const builtins = `LIBCC=${compilerBuiltins(arch)} ${neverCalled(source, `${zig} cc --target=${target}`)}`
  run('make', ['-s', `-j${availableParallelism()}`, 'lib/libc.so', builtins], { cwd: source })
  return library
}

async function download() {
  const address = `${debianMirror()}${MUSL.path}`
  const response = await fetch(address)
  if (!response.ok) throw new Error(`${address}: ${response.status}`)
  const bytes = Buffer.from(await response.arrayBuffer())
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== MUSL.sha256) throw new Error(`${address} has the hash ${found}`)
  return bytes
}

/** The mirror of Debian that this machine is set up with: it has the files of later releases, too. */
function debianMirror() {
  const mirrors = run('apt-get', ['indextargets', '--format', '$(REPO_URI)']).split('\n')
  const mirror = mirrors.find(uri => /\/debian\/?$/.test(uri))
  if (!mirror) throw new Error('the source of musl comes from a mirror of Debian, and apt knows none')
  return `${mirror.replace(/\/$/, '')}/`
}

/**
 * Arithmetic that the processor lacks, such as on numbers of 128 bits. zig's own is one file, which
 * also has hidden functions such as `memcpy` and `sin`, and would hide those of musl.
 */
function compilerBuiltins(arch) {
  const target = `${arch}-unknown-linux-musl`
  run('rustup', ['target', 'add', target])
  const folder = join(run('rustc', ['--print', 'sysroot']).trim(), 'lib', 'rustlib', target, 'lib')
  return join(
    folder,
    readdirSync(folder).find(name => /^libcompiler_builtins-.*\.rlib$/.test(name)),
  )
}

/**
 * An object file with functions that the library names and no program here calls: for exceptions of
 * Rust, and for powers of complex numbers of 80 bits.
 */
function neverCalled(folder, compiler) {
  const [source, object] = ['never-called.c', 'never-called.o'].map(name => join(folder, name))
  const names = ['rust_eh_personality', '__mulxc3']
  const functions = names.map(name => `HIDDEN void ${name}(void) { __builtin_trap(); }`)
  const hidden = '#define HIDDEN __attribute__((visibility("hidden")))'
  writeFileSync(source, `${[hidden, ...functions].join('\n')}\n`)
  const [program, ...args] = compiler.split(' ')
  run(program, [...args, '-c', source, '-o', object])
  return object
}
