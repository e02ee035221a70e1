// `npm run soak -- --kills 10000`: the storm of the tests for as long as it takes.
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '1000' }, kind: { type: 'string' } },
})
const kills = Number(values.kills)
if (!Number.isInteger(kills) || kills < 1) {
  console.error('usage: npm run soak -- [--kills NUMBER] [--kind Mutex]')
  process.exit(2)
}

process.env.CROSSMEM_DOMAIN = `soak-${randomBytes(6).toString('hex')}`
const { describe, storm } = await import('../build/__test__/helpers/storm.js')
const began = Date.now()
const seconds = () => `${((Date.now() - began) / 1000).toFixed(0)} s`
let printed = 0

function progress(summaries) {
  if (Date.now() - printed < 5000) return
  printed = Date.now()
  const least = Math.min(...summaries.map(summary => summary.kills))
  const longest = Math.max(...summaries.map(summary => summary.longest))
  console.log(`${seconds()}: ${least} of ${kills} killed, longest ${longest.toFixed(0)} ms`)
}

const { summaries, violations } = await storm(kills, progress, values.kind ? [values.kind] : undefined)
for (const summary of summaries) console.log(describe(summary))
for (const violation of violations) console.log(`FAILED: ${violation}`)
console.log(violations.length > 0 ? `failed after ${seconds()}` : `all went well in ${seconds()}`)
process.exitCode = violations.length > 0 ? 1 : 0
