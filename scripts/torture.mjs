// `npm run torture`: kills, freezes and resumes a process at every instruction of every operation.
// Then it breaks the code in each way that `crates/core/src/faults.rs` and the models list. It
// writes a report of both.
//   npm run torture -- [--minutes N] [--only PART]... [--seed N] [--mutants | --no-mutants]
//     [--out FILE]
//   npm run torture -- --list
// --minutes: a sample of N minutes, without the faults unless --mutants is given
// --only: the operations whose names contain PART
// --list: prints the names of the operations
// --out: where the report goes. By default a full report goes to crates/torture/REPORT.md, and the
//   report of a part to build/torture.md.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { score } from './mutants.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error("npm run torture needs Linux on x64: it sets that processor's debug registers")
  process.exit(2)
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    only: { type: 'string', multiple: true },
    seed: { type: 'string' },
    list: { type: 'boolean' },
    mutants: { type: 'boolean' },
    'no-mutants': { type: 'boolean' },
    out: { type: 'string' },
  },
})
const { minutes, only = [], seed, list } = values
if (list) process.exit(torture('--list'))
const partial = minutes !== undefined || only.length > 0
const report = partial ? join('build', 'torture.md') : join('crates', 'torture', 'REPORT.md')
const out = values.out ? resolve(values.out) : join(root, report)
const part = join(root, 'build', 'torture-part.md')
mkdirSync(dirname(part), { recursive: true })
rmSync(part, { force: true })

const words = [
  ...(minutes === undefined ? [] : ['--minutes', minutes]),
  ...(seed === undefined ? [] : ['--seed', seed]),
  ...only.flatMap(name => ['--only', name]),
]
process.exitCode = torture(...words, '--report', part)
if (!existsSync(part)) process.exit()
const page = [
  '# Torture\n',
  `Written by \`npm run torture\` on ${cpus()[0].model.trim()}, ${cpus().length} cores.\n`,
  readFileSync(part, 'utf8'),
]
if (values.mutants ?? !(partial || values['no-mutants'])) page.push(await mutationScore())
writeFileSync(out, page.join('\n'))
console.log(`wrote ${out}`)

/** Runs the harness and returns its exit status. */
function torture(...args) {
  const command = ['run', '--quiet', '--release', '-p', 'crossmem-torture', '--', ...args]
  return spawnSync('cargo', command, { cwd: root, stdio: 'inherit' }).status ?? 1
}

/** The table of the faults that were put into the code, each with the test that notices it. */
async function mutationScore() {
  const { rows, caught, total } = await score(what => console.error(what))
  if (caught < total) process.exitCode = 1
  const cell = text => text.replaceAll('|', '\\|')
  return [
    '## Broken on purpose\n',
    `${caught} of ${total} seeded faults are caught (\`npm run mutants\`).\n`,
    '| fault | what it breaks | noticed by | |',
    '| --- | --- | --- | --- |',
    ...rows.map(
      ({ fault, breaks, test, caught, how }) =>
        `| ${fault} | ${cell(breaks)} | \`${test}\` | ${caught ? how.split(':')[0] : '**survived**'} |`,
    ),
    '',
  ].join('\n')
}
