// Measures crossmem beside its peers and writes RESULTS.md and one plot per section.
//   node build/bench/main.js [--quick] [--only SECTION]... [--out DIR]
// --quick: small arrays and few rounds, to see that it runs; its figures say nothing. SECTION is a name as in the list
// below.
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { chart } from './chart.js'
import { describeMachine } from './machine.js'
import { resultsPage } from './results.js'
import { root } from './root.js'
import type { Section } from './section.js'
import { calls } from './sections/calls.js'
import { contention } from './sections/contention.js'
import { handOver } from './sections/hand-over.js'
import { life } from './sections/life.js'
import { locks } from './sections/locks.js'
import { queueBatches } from './sections/queue-batches.js'
import { queueFloor } from './sections/queue-floor.js'
import { queues } from './sections/queues.js'
import { roundTrips } from './sections/round-trips.js'
import { sum } from './sections/sum.js'
import { wakeUp } from './sections/wake-up.js'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
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
  queueBatches,
  queueFloor,
  roundTrips,
]

async function main(): Promise<void> {
  const { quick, only } = values
  // Nobody else's objects are in the registry, and ours are nobody else's.
  process.env.CROSSMEM_DOMAIN = `bench-${randomBytes(6).toString('hex')}`
  const machine = describeMachine()
  const sections: Section[] = []
  for (const section of all.filter(({ name }) => only?.includes(name) ?? true)) {
    console.error(`bench: ${section.name} …`)
    sections.push(await section(quick))
  }
  const out = outDirectory()
  mkdirSync(out, { recursive: true })
  for (const section of sections) writeFileSync(join(out, `${section.id}.svg`), chart(section))
  const page = resultsPage(machine, sections, quick)
  writeFileSync(join(out, 'RESULTS.md'), page)
  console.log(page)
  console.error(`bench: wrote ${join(out, 'RESULTS.md')}`)
}

/** A quick run, or a part, doesn't replace figures that mean something unless it is told to. */
function outDirectory(): string {
  if (values.out !== undefined) return resolve(values.out)
  return values.quick || values.only ? join(root, 'build', 'bench', 'quick') : join(root, 'bench')
}

void main()
