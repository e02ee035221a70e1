// What the tests do for as long as it takes: `--kills 10000` is the storms, `--flow 10000000` the flows.
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { kills: { type: 'string' }, kind: { type: 'string' }, flow: { type: 'string' } },
})
const { kind, flow } = values
const wanted = Number(flow ?? values.kills ?? 1000)
if (!Number.isInteger(wanted) || wanted < 1) {
  console.error(
    'usage: npm run soak -- [--kills NUMBER] [--kind Mutex | MpmcQueue | …], or --flow MESSAGES [--kind Queue]',
  )
  process.exit(2)
}

process.env.CROSSMEM_DOMAIN = `soak-${randomBytes(6).toString('hex')}`
const helper = name => import(`../build/__test__/helpers/${name}.js`)
const { kinds: locks } = await helper('storm-words')
const began = Date.now()
const seconds = () => `${((Date.now() - began) / 1000).toFixed(0)} s`
const violations = []

if (flow) await flowOf(wanted)
else {
  if (!kind || locks.includes(kind)) await killUsersOfLocks(wanted)
  if (!kind || !locks.includes(kind)) await killUsersOfQueues(wanted)
}
for (const violation of violations) console.log(`FAILED: ${violation}`)
console.log(violations.length > 0 ? `failed after ${seconds()}` : `all went well in ${seconds()}`)
process.exitCode = violations.length > 0 ? 1 : 0

async function killUsersOfLocks(kills) {
  const { describe, storm } = await helper('storm')
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
  const { describe, QueueStorm } = await helper('queue-storm')
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
  const { run } = await helper('flow')
  const capacities = { MpmcQueue: 1024, Queue: 1024, SpscQueue: 65536, Pipe: 65536 }
  for (const [queue, capacity] of Object.entries(capacities)) {
    if (kind && kind !== queue) continue
    const { wrong, seconds } = await run({ kind: queue, capacity, messages })
    console.log(`${queue}: ${messages} messages in ${seconds.toFixed(0)} s`)
    if (wrong > 0) violations.push(`${queue}: ${wrong} messages were lost`)
  }
}
