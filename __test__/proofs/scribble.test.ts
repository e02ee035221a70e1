import '../helpers/domain.js'
import { setTimeout as pause } from 'node:timers/promises'
import ava from 'ava'
import { gone, kill, start } from '../processes/children.js'

const test = process.platform === 'linux' ? ava.serial : ava.skip
const ROUNDS = 60
/** No round takes that long. In milliseconds. */
const HANG = 20_000

for (const kind of ['MpmcQueue', 'Queue', 'JoinableQueue', 'SpscQueue', 'Pipe', 'RecordQueue']) {
  test(`${kind}: words that make no sense are refused or give garbage; nothing crashes or hangs`, async t => {
    const child = start('proofs/use-what-is-scribbled-on', kind, String(ROUNDS))
    t.teardown(() => kill(child))
    let [rounds, refusals] = [0, 0]
    child.on('message', (said: { refusals?: number }) => {
      rounds++
      refusals = said.refusals ?? 0
    })
    const end = gone(child)
    for (let before = -1; before < rounds && child.exitCode === null; ) {
      before = rounds
      await Promise.race([end, pause(HANG, undefined, { ref: false })])
    }
    t.is(rounds, ROUNDS + 1, `round ${rounds} hangs, or is the end: ${child.exitCode} ${child.signalCode}`)
    t.deepEqual(await end, { code: 0, signal: null })
    t.log(`${refusals} refusals`)
    t.true(refusals > 0)
  })
}
