// `node scripts/packages/build.mjs TARGET`: builds the addon of a release for a target that
// package.json lists, into build/addons/TARGET, and checks what came out. The addons for Linux are
// built with zig (from PyPI, into target/tools), since the linker of this system would ask for its
// own glibc.
import { readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { platformOf } from './binary.mjs'
import { isNewer, neededGlibc, OLDEST_GLIBC } from './glibc.mjs'
import { run } from './run.mjs'
import { platformPackages, root } from './set.mjs'
import { zigBin } from './zig.mjs'

const [target] = process.argv.slice(2)
const wanted = platformPackages.find(({ triple }) => triple === target)
if (wanted === undefined) {
  console.error(
    `usage: node scripts/packages/build.mjs ${platformPackages.map(({ triple }) => triple).join(' | ')}`,
  )
  process.exit(2)
}
const folder = join(root, 'build', 'addons', target)
const file = join(folder, wanted.addon)
try {
  run('rustup', ['target', 'add', target])
  const isLinux = wanted.fields.os[0] === 'linux'
  const [triple, env] = isLinux ? [zigTarget(), withZig()] : [target, process.env]
  const options = ['--strip', '--output-dir', folder, '--target', triple]
  if (isLinux) options.push('--cross-compile')
  run('npm', ['run', 'build:addon', '--', ...options], { cwd: root, env, stdio: 'inherit' })
  check()
  console.log(`${file} is built for ${wanted.platform}`)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

/** For zig a target can end with the version of glibc. */
function zigTarget() {
  return target.endsWith('-gnu') ? `${target}.${OLDEST_GLIBC}` : target
}

/** The environment in which cargo-zigbuild finds itself and zig. */
function withZig() {
  return { ...process.env, PATH: [zigBin(), process.env.PATH].join(delimiter) }
}

function check() {
  const builtFor = platformOf(readFileSync(file))
  if (builtFor !== wanted.platform) throw new Error(`${file} was built for ${builtFor}`)
  if (!target.endsWith('-linux-gnu')) return
  const needed = neededGlibc(file)
  if (isNewer(needed, OLDEST_GLIBC)) throw new Error(`${file} needs glibc ${needed}`)
}
