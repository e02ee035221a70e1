// The C library musl, compiled by zig from its source, which every mirror of Debian has. Its package
// for arm64 is only on the mirrors of that architecture, and Debian 12 has a version that is too old.
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { run } from '../packages/run.mjs'
import { zigBin } from '../packages/zig.mjs'
import { ofMirror } from './debian.mjs'

/** Earlier versions don't load a Node of today. */
const SOURCE = {
  'pool/main/m/musl/musl_1.2.5.orig.tar.gz':
    'a9a118bbe84d8764da0ea0d28b3ab3fae8477fc7e4085d90102b8596fc7c75e4',
}

/** The path of the library for a processor. It is the interpreter of programs, too. */
export async function musl(arch) {
  const source = join(await ofMirror(`musl-${arch}`, SOURCE), 'musl-1.2.5')
  const library = join(source, 'lib', 'libc.so')
  if (existsSync(library)) return library
  const target = `${arch}-linux-musl`
  const zig = `${join(zigBin(), 'python')} -m ziglang`
  const tools = [`CC=${zig} cc --target=${target}`, `AR=${zig} ar`, `RANLIB=${zig} ranlib`]
  run('./configure', [`--target=${target}`, '--disable-static', ...tools], { cwd: source })
  const builtins = `LIBCC=${compilerBuiltins(arch)} ${neverCalled(source, `${zig} cc --target=${target}`)}`
  run('make', ['-s', `-j${availableParallelism()}`, 'lib/libc.so', builtins], { cwd: source })
  return library
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
