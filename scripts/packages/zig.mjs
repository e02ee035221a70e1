// Zig and cargo-zigbuild, which compile and link for other systems: from PyPI, in target/tools/zig.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.mjs'
import { root } from './set.mjs'

const ZIG = ['cargo-zigbuild==0.24.0', 'ziglang==0.17.0']

/** The folder of their commands. */
export function zigBin() {
  const tools = join(root, 'target', 'tools', 'zig')
  const bin = join(tools, process.platform === 'win32' ? 'Scripts' : 'bin')
  if (!existsSync(bin)) run(process.env.PYTHON ?? 'python3', ['-m', 'venv', tools])
  run(join(bin, 'python'), ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', ...ZIG])
  return bin
}
