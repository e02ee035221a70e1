// `npm run torture`: kills, freezes and resumes a process at every instruction of everything that it can do, then breaks
// the code on purpose in every way that `faults.rs` lists, and writes what came of it.
//   npm run torture -- [--minutes N] [--only PART]... [--seed N] [--no-mutants] [--out FILE], or --list
// --minutes: a sample; --only: operations whose name has this in it; --list: their names. Either goes to build/torture.md, all of it to
// docs/torture.md, unless --out says where.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { score } from './mutants.mjs'
import { run } from './setup.mjs'

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
    mutants: { type: 'boolean', default: true },
    out: { type: 'string' },
  },
  allowNegative: true,
})
const { minutes, only = [], seed, mutants, list } = values
if (list) {
  run('cargo', 'run', '--quiet', '--release', '-p', 'crossmem-torture', '--', '--list')
  process.exit()
}
const partial = minutes !== undefined || only.length > 0
const out = values.out ? resolve(values.out) : join(root, partial ? 'build' : 'docs', 'torture.md')
const part = join(root, 'build', 'torture-part.md')
mkdirSync(dirname(part), { recursive: true })

const words = [
  ...(minutes === undefined ? [] : ['--minutes', minutes]),
  ...(seed === undefined ? [] : ['--seed', seed]),
  ...only.flatMap(name => ['--only', name]),
]
run('cargo', 'run', '--quiet', '--release', '-p', 'crossmem-torture', '--', ...words, '--report', part)
const page = [
  '# Torture\n',
  `Written by \`npm run torture\` on ${cpus()[0].model.trim()}, ${cpus().length} cores.\n`,
  readFileSync(part, 'utf8'),
]
if (mutants) page.push(await mutationScore())
writeFileSync(out, page.join('\n'))
console.log(`wrote ${out}`)

/** Every way in which the code was broken on purpose, and the test that noticed. */
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
