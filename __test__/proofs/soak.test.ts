import '../helpers/domain.js'
import ava from 'ava'
import { list } from 'crossmem'
import { faultNames } from '../soak/faults.js'
import { Report } from '../soak/report.js'
import { Soak } from '../soak/soak.js'
import { type Sample, Watch } from '../soak/watch.js'

const test = ava.serial
const KILLS = 60

// `npm run soak -- --minutes 10` is the same for longer.
test(`all features at once, while ${KILLS} processes are killed and others are stopped and torn down`, async t => {
  const soak = new Soak()
  const { toll } = soak.mortals
  await soak.run(
    () =>
      toll.killed >= KILLS &&
      toll.stopped > 0 &&
      soak.board.terminated > 0 &&
      soak.progress.idle.length === 0,
  )
  const report = new Report(soak)
  t.log(report.table())
  t.log(report.sentence())
  t.deepEqual(soak.violations, [])
  t.true(soak.accounts.every(({ put }) => put > 0))
  t.true(soak.told > 0)
  t.deepEqual(
    list().filter(({ kind }) => kind !== 'LockManager'),
    [],
  )
})

const found: Record<string, RegExp> = {
  'ignores-the-lock': /^Mutex, life \d+: /m,
  'sends-twice': /^Queue, at most once.* came twice$/m,
  'loses-messages': /^Queue, at most once: \d+ of \d+ are lost, \d+ may have been held by the killed$/m,
  'keeps-the-lock':
    /^Mutex: survivor \d gets no further than \d+, waiting; beside it: seat |^Error: Mutex: .* timed out after /m,
  'leaves-a-segment': /^left behind: SharedMemory /m,
}

for (const fault of faultNames) {
  test(`it fails when a survivor ${fault.replaceAll('-', ' ')}`, async t => {
    const soak = new Soak({ fault, patience: fault === 'keeps-the-lock' ? 3000 : undefined })
    // What is found in the end only is done until then.
    await soak.run(() => soak.told > 0 && soak.progress.idle.length === 0)
    t.regex(soak.violations.join('\n'), found[fault] as RegExp)
  })
}

const sample = (descriptors: number): Sample => ({ memory: 2 ** 26, descriptors, mappings: 300, threads: 8 })

test('steady growth is noticed, warming up and going up and down are not', t => {
  const [growing, steady, short] = [new Watch('growing'), new Watch('steady'), new Watch('short')]
  for (let i = 0; i < 20_000; i++) {
    growing.add(sample(20 + Math.floor(i / 100)))
    steady.add(sample(i < 4000 ? i : 4000 + (i % 50)))
  }
  for (let i = 0; i < 10; i++) short.add(sample(1000 * i))
  t.deepEqual(steady.flaws, [])
  t.deepEqual(short.flaws, [])
  t.regex(growing.flaws.join(), /^growing: \d+ more of descriptors than before, 16 are allowed$/)
})
