// Measures crossmem beside its peers. Writes RESULTS.md, the plots, results.json, and the figures
// in README.md.
//   node build/bench/main.js [--quick] [--seconds N] [--only SECTION]... [--out DIR]
// --quick: small arrays and few slices, to check that everything runs; its figures mean nothing.
// --seconds: the time for each row, of which each slice takes a part.
// SECTION is the name of a function in the list below.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine, load } from './harness/machine.js'
import type { Effort } from './harness/measure.js'
import { root } from './harness/root.js'
import { uniqueName } from './harness/temporary.js'
import { versions } from './harness/versions.js'
import { withBlock } from './report/readme-block.js'
import { filesOf, type Results } from './report/results.js'
import { calls } from './sections/calls.js'
import { contention } from './sections/contention.js'
import { conversations } from './sections/conversations.js'
import { handOver } from './sections/hand-over.js'
import { latency } from './sections/latency.js'
import { life } from './sections/life.js'
import { locks } from './sections/locks.js'
import { manager } from './sections/manager.js'
import { map } from './sections/map.js'
import { onlookers } from './sections/onlookers.js'
import { pools } from './sections/pools.js'
import { queueBatches } from './sections/queue-batches.js'
import { queueFloor } from './sections/queue-floor.js'
import { queues } from './sections/queues.js'
import { roundTrips } from './sections/round-trips.js'
import { scaling } from './sections/scaling.js'
import { sizes } from './sections/sizes.js'
import { sum } from './sections/sum.js'
import { wakeUp } from './sections/wake-up.js'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    only: { type: 'string', multiple: true },
    out: { type: 'string' },
  },
})

const all = [
  handOver,
  sum,
  life,
  calls,
  locks,
  contention,
  wakeUp,
  queues,
  sizes,
  queueBatches,
  scaling,
  queueFloor,
  roundTrips,
  conversations,
  latency,
  pools,
  map,
  onlookers,
  manager,
]

async function main(): Promise<void> {
  const { quick, only } = values
  const effort = effortOf(quick, values.seconds)
  // A domain of its own, so that no other program's objects are in the registry.
  process.env.CROSSMEM_DOMAIN = uniqueName()
  const results: Results = { quick, machine: [...describeMachine(), ...versions()], sections: [] }
  for (const section of all.filter(({ name }) => only?.includes(name) ?? true)) {
    const start = performance.now()
    results.sections.push(await section(effort))
    console.error(`bench: ${section.name}: ${((performance.now() - start) / 1000).toFixed(0)} s`)
  }
  results.machine.push(['load at the end', load()])
  const out = outDirectory()
  mkdirSync(out, { recursive: true })
  const files = filesOf(results)
  for (const [name, contents] of files) writeFileSync(join(out, name), contents)
  if (out === home) {
    const readme = join(root, 'README.md')
    writeFileSync(readme, withBlock(readFileSync(readme, 'utf8'), results))
  }
  console.log(files.get('RESULTS.md'))
  console.error(`bench: wrote ${join(out, 'RESULTS.md')}`)
}

/** With so many seconds for each row, a whole run takes less than a quarter of an hour. */
const SECONDS = 0.4
const SECONDS_OF_A_QUICK_RUN = 0.01

function effortOf(quick: boolean, wanted?: string): Effort {
  const seconds = Number(wanted ?? (quick ? SECONDS_OF_A_QUICK_RUN : SECONDS))
  if (!(seconds > 0)) throw new Error(`--seconds needs a number above 0, not ${wanted}`)
  return { quick, seconds }
}

const home = join(root, 'bench')

/** A short or partial run doesn't replace the results of a whole run, unless --out says so. */
function outDirectory(): string {
  if (values.out !== undefined) return resolve(values.out)
  return values.quick || values.seconds || values.only ? join(root, 'build', 'bench', 'quick') : home
}

void main()
