// `npm run soak`: what the tests do, for as long as you like. `--minutes 10` does everything at
// once, `--kills 10000` runs the storms, `--flow 10000000` the flows.
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    fault: { type: 'string' },
    kills: { type: 'string' },
    kind: { type: 'string' },
    flow: { type: 'string' },
  },
})
const { kind, flow, minutes, fault } = values
const wanted = Number(minutes ?? flow ?? values.kills ?? 1000)
if (!(wanted > 0) || !(minutes || Number.isInteger(wanted))) {
  console.error(
    'usage: npm run soak -- --minutes NUMBER [--fault ignores-the-lock | …]\n' +
      '       npm run soak -- [--kills NUMBER] [--kind Mutex | MpmcQueue | …]\n' +
      '       npm run soak -- --flow MESSAGES [--kind Queue]',
  )
  process.exit(2)
}

const domain = `soak-${randomBytes(6).toString('hex')}`
process.env.CROSSMEM_DOMAIN = domain
const helper = name => import(`../build/__test__/${name}.js`)
const began = Date.now()
const seconds = () => `${((Date.now() - began) / 1000).toFixed(0)} s`
const violations = []

if (minutes) await soakFor(60_000 * wanted)
else if (flow) await flowOf(wanted)
else {
  const { kinds: locks } = await helper('storm/words')
  if (!kind || locks.includes(kind)) await killUsersOfLocks(wanted)
  if (!kind || !locks.includes(kind)) await killUsersOfQueues(wanted)
}
if (!minutes)
  process.once('exit', () => conclude(`all went well in ${seconds()}`, `failed after ${seconds()}`))

/** Prints the violations, and how the run ended. */
function conclude(good, bad) {
  for (const violation of violations) console.log(`FAILED: ${violation}`)
  console.log(violations.length > 0 ? bad : good)
  if (violations.length > 0) process.exitCode = 1
}

async function soakFor(milliseconds) {
  const { Soak } = await helper('soak/soak')
  const { Report } = await helper('soak/report')
  const { faultNames } = await helper('soak/faults')
  if (fault && !faultNames.includes(fault)) throw new Error(`a fault is one of ${faultNames.join(', ')}`)
  const soak = new Soak({ fault })
  const report = new Report(soak)
  let isInterrupted = false
  const interrupt = () => {
    isInterrupted = true
    console.log('ending early')
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, interrupt)
  const printing = setInterval(() => soak.isOver || console.log(report.line()), 10_000)
  await soak.run(() => isInterrupted || soak.elapsed >= milliseconds)
  clearInterval(printing)
  console.log(report.table())
  // This listener runs after the one with which this process leaves its domain.
  process.once('exit', () => {
    soak.checkFiles(domain)
    violations.push(...soak.violations)
    conclude(report.sentence(), report.sentence())
  })
}

async function killUsersOfLocks(kills) {
  const { describe, storm } = await helper('storm/storm')
  let printed = 0
  const progress = summaries => {
    if (Date.now() - printed < 5000) return
    printed = Date.now()
    const least = Math.min(...summaries.map(summary => summary.kills))
    const longest = Math.max(...summaries.map(summary => summary.longest))
    console.log(`${seconds()}: ${least} of ${kills} killed, longest ${longest.toFixed(0)} ms`)
  }
  const found = await storm(kills, progress, kind ? [kind] : undefined)
  for (const summary of found.summaries) console.log(describe(summary))
  violations.push(...found.violations)
}

async function killUsersOfQueues(wanted) {
  const { describe, QueueStorm } = await helper('storm/queue-storm')
  for (let kills = 0; kills < wanted && violations.length === 0; ) {
    const storm = new QueueStorm(stream => !kind || stream.kind === kind)
    await storm.rage(Math.min(wanted - kills, 1000))
    kills += storm.kills
    for (const account of storm.accounts) console.log(describe(account))
    console.log(`${seconds()}: ${kills} of ${wanted} killed`)
    violations.push(...storm.violations)
  }
}

async function flowOf(messages) {
  const { run } = await helper('storm/flow')
  const capacities = { MpmcQueue: 1024, Queue: 1024, SpscQueue: 65536, Pipe: 65536 }
  for (const [queue, capacity] of Object.entries(capacities)) {
    if (kind && kind !== queue) continue
    const { wrong, seconds } = await run({ kind: queue, capacity, messages })
    console.log(`${queue}: ${messages} messages in ${seconds.toFixed(0)} s`)
    if (wrong > 0) violations.push(`${queue}: ${wrong} messages were lost`)
  }
}
