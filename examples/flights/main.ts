// Three million flights in one shared array: four processes analyse them in place, and one of these
// processes is killed on the way.
import { constants } from 'node:os'
import { NDArray, NDView } from 'crossmem'
import { type Counts, columnsOf, type Limits, limitsOf, merge, noCounts, shapesOf } from './analyse.js'
import { differences } from './check.js'
import { end, start, tell } from './children.js'
import { goOn, handOut } from './hand-out.js'
import { compareHandovers, JSON_PIECES } from './handover.js'
import { columnNames, openFlights, readFlights } from './load.js'
import { Progress, say } from './progress.js'
import { distanceTable, handoverTable, hoursTable, routesTable } from './table.js'
import type { Job } from './worker.js'

const CHILDREN = 4
/** Many more parts than children, so that little work is lost with a child. */
const PARTS = 24
/** The first child that is halfway through this part is killed. */
const FATAL_PART = 9

/** @returns the exit code */
async function main(signal: AbortSignal): Promise<number> {
  const began = performance.now()
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`

  const source = await openFlights()
  const shape = [columnNames.length, source.rows]
  using flights = NDArray.create(null, { shape, dtype: 'int32' })
  const loading = new Progress('loading flights')
  loading.show(0)
  const airports = await readFlights(source, flights.data, share => {
    signal.throwIfAborted()
    loading.show(share)
  })
  const megabytes = (flights.byteLength / 1e6).toFixed(1)
  say(
    `${source.rows.toLocaleString('en-US')} flights in one shared array of ${megabytes} MB, after ${seconds()}`,
  )

  // A private copy of the data, for the check and for process.send.
  const plain = new NDView({ data: flights.data.slice(), dtype: 'int32', shape })
  const limits = limitsOf(columnsOf(plain), airports.length)

  const counts = await analyse(flights, limits, signal)
  say(`analysed by ${CHILDREN} children, one of them killed, after ${seconds()}`)
  const handovers = await compareHandovers(flights, plain.data, signal)

  say(`\nDelay on arrival in minutes, by hour of departure\n\n${hoursTable(counts, limits)}`)
  say(`\nDelay by distance, in percent of the flights of that distance\n\n${distanceTable(counts)}`)
  say(
    `\nThe busiest of ${airports.length} × ${airports.length} routes\n\n${routesTable(counts, airports, 10)}`,
  )
  say(`\nHanding the flights to another process, until it has read the first and the last value\n`)
  say(handoverTable(handovers))
  say(`\n  'json' got only the first 1/${JSON_PIECES} of the data: its times are not scaled up`)

  const wrong = differences(columnsOf(plain), limits, counts)
  if (wrong.length > 0) {
    console.error(`\nWRONG: ${wrong.join('\n')}`)
    return 1
  }
  say(
    `\nchecked against a single process over a private array: every count and percentile is the same (${seconds()})`,
  )
  return 0
}

/** Has children count the flights in parts, kills one, and merges the parts' counts. */
async function analyse(flights: NDArray<'int32'>, limits: Limits, signal: AbortSignal): Promise<Counts> {
  const shapes = shapesOf(limits)
  const perPart = (kind: keyof Counts) =>
    NDArray.create(null, { shape: [PARTS, ...shapes[kind]], dtype: 'int32' })
  using byHour = perPart('byHour')
  using byDistance = perPart('byDistance')
  using byRoute = perPart('byRoute')
  const results = { byHour, byDistance, byRoute }

  const children = Array.from({ length: CHILDREN }, () => start('worker'))
  try {
    // A handle is sent as its reference.
    for (const child of children) tell(child, { flights, results, limits, parts: PARTS } satisfies Job)
    const counting = new Progress('counting flights')
    counting.show(0)
    let done = 0
    let killed = 0
    const name = (part: number) => `part ${part + 1} of ${PARTS}`
    await handOut(
      children,
      PARTS,
      {
        started(child, part) {
          if (killed && part === FATAL_PART) say(`child ${child.pid} got ${name(part)} to do over`)
        },
        halfway(child, part) {
          if (part !== FATAL_PART || killed) return goOn(child)
          child.kill('SIGKILL')
          killed = child.pid ?? 0
        },
        lost(child, part) {
          if (child.pid !== killed) return say(`child ${child.pid} died in ${name(part)}`)
          say(`killed child ${child.pid} (SIGKILL) halfway through ${name(part)}`)
        },
        done: () => counting.show(++done / PARTS),
      },
      signal,
    )
  } finally {
    await end(children)
  }

  const total = noCounts(limits)
  for (let part = 0; part < PARTS; part++) {
    const row = (kind: keyof Counts) => results[kind].subarray(part).data
    merge(total, { byHour: row('byHour'), byDistance: row('byDistance'), byRoute: row('byRoute') })
  }
  return total
}

/**
 * Runs until the work is done or a signal arrives. After a signal, too, all objects are closed, and
 * Node exits by itself, with the exit code that shells give to the signal. A process that a signal
 * kills leaves its agent in the domain for other processes to clean up.
 */
async function run(): Promise<void> {
  const interrupted = new AbortController()
  const deadly = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  let received: NodeJS.Signals | undefined
  const interrupt = (signal: NodeJS.Signals) => {
    received = signal
    interrupted.abort()
  }
  for (const signal of deadly) process.on(signal, interrupt)
  try {
    process.exitCode = await main(interrupted.signal)
  } catch (error) {
    if (!received) throw error
    process.exitCode = 128 + constants.signals[received]
  } finally {
    for (const signal of deadly) process.off(signal, interrupt)
  }
}

run()
