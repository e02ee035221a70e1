import test from 'ava'
import { type Contender, counted, type Effort, inTurn, rowOf } from '../../bench/harness/measure.js'
import { verdict } from '../../bench/harness/section.js'
import { isNoisy, medianInterval, NOISY, ratioOf } from '../../bench/harness/statistics.js'

const ascending = (length: number): number[] => Array.from({ length }, (_, i) => i + 1)

test('the interval of a median is that of the table of order statistics', t => {
  const published: [n: number, low: number, high: number][] = [
    [6, 1, 6],
    [8, 1, 8],
    [9, 2, 8],
    [10, 2, 9],
    [15, 4, 12],
    [20, 6, 15],
    [25, 8, 18],
    [50, 18, 33],
  ]
  for (const [n, low, high] of published) {
    t.deepEqual(medianInterval(ascending(n)), { low, high }, `${n} values`)
    t.deepEqual(medianInterval(ascending(n).toReversed()), { low, high }, `${n} values, unsorted`)
  }
  t.is(medianInterval(ascending(5)), undefined)
  t.is(medianInterval([]), undefined)
})

test('a change of speed that both sides see leaves their ratio as it is', t => {
  const base = Array.from({ length: 20 }, () => 100)
  const drift = base.map((ns, i) => ns * (1 + i / 4))
  const twice = drift.map(ns => ns * 2)
  t.deepEqual(ratioOf(twice, drift), { median: 2, interval: { low: 2, high: 2 } })
})

test('an outlier on one side moves neither the ratio nor its interval', t => {
  const base = Array.from({ length: 20 }, () => 100)
  const ours = base.map((ns, i) => (i === 7 ? ns * 50 : ns * 2))
  const ratio = ratioOf(ours, base)
  t.deepEqual(ratio, { median: 2, interval: { low: 2, high: 2 } })
  t.false(isNoisy(ratio))
})

test('a ratio whose pairs disagree is noisy, and so is one of too few pairs', t => {
  const base = Array.from({ length: 20 }, () => 100)
  const steady = base.map((ns, i) => ns * (2 + i / 1000))
  const loud = base.map((ns, i) => ns * (i % 2 === 0 ? 2 : 2 * NOISY * 1.1))
  t.false(isNoisy(ratioOf(steady, base)))
  t.true(isNoisy(ratioOf(loud, base)))
  t.true(isNoisy(ratioOf(steady.slice(0, 5), base.slice(0, 5))))
})

test('a target is met or missed only if its whole interval says so', t => {
  const got = { median: 2, interval: { low: 1.5, high: 2.5 } }
  t.is(verdict({ what: '', got, atLeast: 1.5 }), 'met')
  t.is(verdict({ what: '', got, atLeast: 2 }), 'undecided')
  t.is(verdict({ what: '', got, atLeast: 3 }), 'missed')
  t.is(verdict({ what: '', got, atMost: 2.5 }), 'met')
  t.is(verdict({ what: '', got, atMost: 1 }), 'missed')
  t.is(verdict({ what: '', got: { median: 2 }, atLeast: 1 }), 'undecided')
})

const LEAST: Effort = { quick: false, seconds: 1e-9 }

/** Contenders whose slices cost what `speed` says, at each turn of a simulated machine. */
function simulated(costs: Record<string, number>, speed: (turn: number) => number) {
  const turns: string[] = []
  const contenders = Object.entries(costs).map(
    ([name, cost]): Contender => ({
      name,
      does: '',
      slice: () => [cost * speed(turns.push(name))],
    }),
  )
  return { turns, contenders }
}

test('each two rounds are mirrored, and each contender has as many slices as the others', async t => {
  const { turns, contenders } = simulated({ a: 1, b: 1, c: 1 }, () => 1)
  const measured = await inTurn(contenders, LEAST)
  t.deepEqual(
    measured.map(({ slices }) => slices.length),
    [6, 6, 6],
  )
  const rounds = turns.slice(-18)
  for (let i = 0; i < 18; i += 6) {
    t.deepEqual(rounds.slice(i, i + 3), rounds.slice(i + 3, i + 6).toReversed())
    t.deepEqual(rounds.slice(i, i + 3).toSorted(), ['a', 'b', 'c'])
  }
})

test('on a machine that becomes ten times slower meanwhile, the ratio stays', async t => {
  const { contenders } = simulated({ ours: 100, peer: 300 }, turn => (turn < 8 ? 1 : 10))
  const [ours, peer] = (await inTurn(contenders, LEAST)).map(one => rowOf(one))
  t.is(ratioOf(peer?.slices ?? [], ours?.slices ?? []).median, 3)
})

test('a slice counts as much as fits into its time, in whole steps, up to a limit', async t => {
  const counts: number[] = []
  const slice = counted(
    count => {
      counts.push(count)
      return [1]
    },
    { step: 8, most: 100 },
  )
  for (let i = 0; i < 4; i++) await slice(1e9)
  t.deepEqual(counts, [8, 96, 96, 96])
  for (let i = 0; i < 2; i++) await slice(1e-9)
  t.is(counts.at(-1), 8)
})

test.serial('rounds end when the time is spent, however long a slice takes', async t => {
  const now = performance.now
  let clock = 0
  performance.now = () => clock
  try {
    for (const [slowness, rounds] of [
      [0.5, 100],
      [1, 50],
      [2, 26],
      [100, 6],
    ] as const) {
      const contender: Contender = {
        name: '',
        does: '',
        slice(milliseconds) {
          clock += milliseconds * slowness
          return [1]
        },
      }
      const [measured] = await inTurn([contender], { quick: false, seconds: 1 })
      t.is(measured?.slices.length, rounds, `slices ${slowness} times as long as asked`)
    }
  } finally {
    performance.now = now
  }
})

test('a row has the figures of its slices, and the medians of the others', t => {
  const slices = [
    [1, 10, 100],
    [3, 30, 300],
    [2, 20, 200],
  ]
  const row = rowOf({ name: 'x', does: 'y', slices }, ['CPU time'], 1)
  t.deepEqual(row, {
    name: 'x',
    does: 'y',
    median: 20,
    low: 15,
    high: 25,
    slices: [10, 30, 20],
    also: { 'CPU time': 200 },
  })
})
