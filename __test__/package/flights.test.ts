import '../helpers/domain.js'
import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { readdirSync } from 'node:fs'
import ava from 'ava'
import { list, NDView } from 'crossmem'
import {
  columnsOf,
  count,
  delayClass,
  distanceClass,
  hourOf,
  limitsOf,
  merge,
  noCounts,
  percentile,
} from '../../examples/flights/analyse.js'
import { differences } from '../../examples/flights/check.js'
import { handOut } from '../../examples/flights/hand-out.js'
import { table } from '../../examples/flights/table.js'
import { compiled } from '../helpers/paths.js'

// One after the other: a run has both cores busy, and the domain is shared.
const test = ava.serial

/** Runs the example with its output gathered; in a process group of its own, as a shell would. */
function run(onOutput: (output: string, child: ChildProcess) => void = () => {}) {
  const main = compiled('examples', 'flights', 'main.js')
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      onOutput(output, child)
    })
  }
  // 'close' comes when the last process that has the pipes is gone: main and all its children.
  return once(child, 'close').then(([code, signal]) => ({ code, signal, output }))
}

/** What is left of the domain: objects, and the file of the domain itself. */
function leftovers(): string[] {
  const objects = list().map(object => object.name)
  if (process.platform !== 'linux') return objects
  const domain = process.env.CROSSMEM_DOMAIN as string
  return [...objects, ...readdirSync('/dev/shm').filter(file => file.includes(domain))]
}

test('a whole run: one child is killed, the result is right, nothing is left', async t => {
  const { code, output } = await run()
  t.is(code, 0, output)
  t.regex(output, /^3,000,000 flights in one shared array of 60\.0 MB/m)
  t.regex(output, /^killed child \d+ \(SIGKILL\) halfway through part 10 of 24$/m)
  t.regex(output, /^child \d+ got part 10 of 24 to do over$/m)
  t.regex(output, /^ {2}departure +flights +p50 +p90 +p99$/m)
  t.is(output.match(/^ {2}\d\d:00( +[\d,-]+){4}$/gm)?.length, 24)
  t.regex(output, /^ {2}LAX → LAS +8,323 +23\.7 %$/m)
  t.regex(output, /^ {2}crossmem, by reference +60\.0 MB/m)
  t.regex(output, /^checked against a single process over a private array: every count/m)
  t.deepEqual(leftovers(), [])
})

const onPosix = process.platform === 'win32' ? test.skip : test
for (const moment of ['loading flights', 'to do over']) {
  onPosix(`Ctrl-C at "${moment}" leaves nothing`, async t => {
    let pressed = false
    const { code, signal, output } = await run((output, child) => {
      if (pressed || !output.includes(moment)) return
      pressed = true
      process.kill(-(child.pid as number), 'SIGINT')
    })
    t.deepEqual({ code, signal }, { code: 130, signal: null }, output)
    t.notRegex(output, /Error|died|checked against/)
    t.deepEqual(leftovers(), [])
  })
}

test('a percentile is the nearest rank', t => {
  const histogram = (lowest: number, highest: number, values: number[]) => {
    const bins = new Int32Array(highest - lowest + 1)
    for (const value of values) bins[value - lowest] = (bins[value - lowest] as number) + 1
    return bins
  }
  const of = (values: number[], percent: number) => percentile(histogram(-10, 200, values), -10, percent)
  t.is(of([-3, 0, 0, 5, 60], 50), 0)
  t.is(of([-3, 0, 0, 5, 60], 80), 5)
  t.is(of([-3, 0, 0, 5, 60], 81), 60)
  t.is(of([7], 1), 7)
  t.is(of([7], 99), 7)
  t.is(of([-10, 200], 50), -10)
  t.is(of([-10, 200], 51), 200)
  t.is(of([3, 4], 0), 3)
  t.is(of([], 50), Number.NaN)
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
  for (const percent of [1, 7, 50, 90, 99, 100]) t.is(of(hundred, percent), percent)
})

test('classes are closed below and open above', t => {
  t.deepEqual([-100, -16, -15, -1, 0, 14, 15, 239, 240, 9999].map(delayClass), [0, 0, 1, 1, 2, 2, 3, 6, 7, 7])
  t.deepEqual([0, 499, 500, 4499, 4500, 5000, 9999].map(distanceClass), [0, 0, 1, 8, 9, 9, 9])
})

/** Five flights between two airports, as the example has them. */
function fiveFlights() {
  const day = 24 * 60
  const columns = [
    [0, 59, 60, day + 30, 23 * 60], // two at 0 h, one at 1 h, one at 0 h of the next day, one at 23 h
    [-5, 20, 14, 15, 300],
    [100, 100, 700, 100, 5000],
    [0, 0, 1, 0, 1],
    [1, 1, 0, 1, 0],
  ]
  const flights = columnsOf(
    new NDView({ data: Int32Array.from(columns.flat()), dtype: 'int32', shape: [5, 5] }),
  )
  return { flights, limits: limitsOf(flights, 2) }
}

test('flights are counted by hour, by distance and by route', t => {
  const { flights, limits } = fiveFlights()
  t.deepEqual(limits, { lowest: -5, highest: 300, airports: 2 })
  const counts = noCounts(limits)
  count(flights, 0, 5, limits, counts)
  t.is(percentile(hourOf(counts, limits, 0), limits.lowest, 50), 15)
  t.is(percentile(hourOf(counts, limits, 1), limits.lowest, 50), 14)
  t.is(percentile(hourOf(counts, limits, 23), limits.lowest, 50), 300)
  t.is(percentile(hourOf(counts, limits, 12), limits.lowest, 50), Number.NaN)
  const cells = new NDView({ data: counts.byDistance, dtype: 'int32', shape: [10, 8] })
  t.deepEqual(cells.subarray(0).toNested(), [0, 1, 0, 2, 0, 0, 0, 0])
  t.deepEqual(cells.subarray(1).toNested(), [0, 0, 1, 0, 0, 0, 0, 0])
  t.deepEqual(cells.subarray(9).toNested(), [0, 0, 0, 0, 0, 0, 0, 1])
  t.deepEqual([...counts.byRoute], [0, 0, 3, 2, 2, 1, 0, 0])
})

test('parts add up to the whole, and a wrong sum is noticed', t => {
  const { flights, limits } = fiveFlights()
  const total = noCounts(limits)
  for (const [start, end] of [
    [3, 5],
    [0, 1],
    [1, 3],
  ] as const) {
    const part = noCounts(limits)
    count(flights, start, end, limits, part)
    merge(total, part)
  }
  t.deepEqual(differences(flights, limits, total), [])

  count(flights, 4, 5, limits, total)
  const found = differences(flights, limits, total)
  t.deepEqual(
    found.map(sentence => sentence.replace(/ in cell.*/, '')),
    ['byHour has 2 flights', 'byDistance has 2 flights', 'byRoute has 3 flights'],
  )

  // One flight of 23 h moved from 300 minutes to 299: the sum stays, and the percentiles don't.
  const moved = noCounts(limits)
  count(flights, 0, 5, limits, moved)
  hourOf(moved, limits, 23).set([1, 0], 304)
  t.deepEqual(differences(flights, limits, moved).slice(1), [
    'p50 of hour 23 is 299, where sorting gives 300',
    'p90 of hour 23 is 299, where sorting gives 300',
    'p99 of hour 23 is 299, where sorting gives 300',
  ])
})

/** A child that does nothing but note what it is told; the test says what it reports. */
class FakeChild extends EventEmitter {
  readonly told: unknown[] = []
  send(message: unknown) {
    this.told.push(message)
  }
  done(part: number) {
    this.emit('message', { part, halfway: false })
  }
}

function handOutToFakes(children: FakeChild[], parts: number, signal = new AbortController().signal) {
  const log: string[] = []
  const name = (child: unknown) => children.indexOf(child as FakeChild)
  const note = (deed: string) => (child: unknown, part: number) => {
    log.push(`${name(child)} ${deed} ${part}`)
  }
  const onlooker = {
    started: note('started'),
    halfway: note('halfway'),
    done: note('done'),
    lost: note('lost'),
  }
  return { log, over: handOut(children as unknown as ChildProcess[], parts, onlooker, signal) }
}

test('the part of a dead child goes to another once, whatever the dead one still says', async t => {
  const [a, b] = [new FakeChild(), new FakeChild()]
  const { log, over } = handOutToFakes([a, b], 3)
  b.emit('exit')
  b.done(1) // too late
  a.done(0)
  a.done(1)
  a.done(2)
  await over
  t.deepEqual(log, [
    '0 started 0',
    '1 started 1',
    '1 lost 1',
    '0 done 0',
    '0 started 1',
    '0 done 1',
    '0 started 2',
    '0 done 2',
  ])
  t.deepEqual(b.told, [{ part: 1 }])
})

test('an idle child takes over the last part', async t => {
  const [a, b] = [new FakeChild(), new FakeChild()]
  const { log, over } = handOutToFakes([a, b], 2)
  a.done(0)
  b.emit('exit')
  a.done(1)
  await over
  t.deepEqual(log.slice(2), ['0 done 0', '1 lost 1', '0 started 1', '0 done 1'])
})

test('handing out ends when all have died, and when it is called off', async t => {
  const lonely = new FakeChild()
  const { over } = handOutToFakes([lonely], 2)
  lonely.emit('exit')
  await t.throwsAsync(over, { message: 'all children have died' })
  const controller = new AbortController()
  const second = handOutToFakes([new FakeChild()], 1, controller.signal)
  controller.abort()
  await t.throwsAsync(second.over, { name: 'AbortError' })
})

test('a table has its words at the left and its numbers at the right', t => {
  t.is(
    table(
      ['way', 'n'],
      [
        ['a', '1'],
        ['bcde', '1,000'],
      ],
    ),
    '  way       n\n  ────  ─────\n  a         1\n  bcde  1,000',
  )
  t.is(table(['head'], []), '  head\n  ────')
})
