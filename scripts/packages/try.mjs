// `node scripts/packages/try.mjs FOLDER`: installs packages that were made into an empty project,
// without a registry and outside the checkout, as a user's npm would; then runs the first example
// of the README, `require`, and the command.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isMain } from '../is-main.mjs'
import { installInto } from './install.mjs'
import { main, root } from './set.mjs'

/** What goes wrong when the installed package is used in a project; empty if nothing does. */
export function faultsIn(project) {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [, example, prints] = readme.match(/```js\n(.*?)```\s*```text\n(.*?)```/s)
  writeFileSync(join(project, 'example.mjs'), example)
  const command = join(project, 'node_modules', main.name, main.bin.crossmem)
  const uses = [
    { args: ['example.mjs'], prints },
    { args: ['-p', "require('crossmem').list().length"], prints: '0\n' },
    { args: [command, 'ls', '--json'], prints: /"objects": ?\[\]/ },
  ]
  return uses.flatMap(({ args, prints }) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: project,
      encoding: 'utf8',
      env: { ...process.env, CROSSMEM_DOMAIN: `try-${process.pid}`, NODE_PATH: '' },
    })
    const isRight = prints instanceof RegExp ? prints.test(stdout) : stdout.replaceAll('\r', '') === prints
    return status === 0 && isRight ? [] : [`node ${args.join(' ')}: status ${status}\n${stdout}${stderr}`]
  })
}

if (isMain(import.meta.url)) {
  const [packages = join(root, 'build', 'packages')] = process.argv.slice(2)
  const project = mkdtempSync(join(tmpdir(), 'crossmem-try-'))
  try {
    installInto(project, packages)
    const faults = faultsIn(project)
    for (const fault of faults) console.error(fault)
    if (faults.length > 0) process.exitCode = 1
    else
      console.log(
        `${main.name} ${main.version} works on ${process.platform} ${process.arch}, Node ${process.version}`,
      )
  } finally {
    rmSync(project, { recursive: true })
  }
}
