// A child: counts the flights of its parts, one part at a time, in place in shared memory.
import { on } from 'node:events'
import { type NDArray, open, type Reference } from 'crossmem'
import { type Counts, columnsOf, count, kindsOfCounts, type Limits, noCounts } from './analyse.js'
import { leaveSignalsToParent, tellParent } from './parent.js'

/** The parent's first message. */
export interface Job {
  /** int32 [columns, flights]. */
  flights: Reference
  /** For each kind of counts an int32 array [parts, …shape of the counts]: one row per part. */
  results: Record<keyof Counts, Reference>
  limits: Limits
  parts: number
}
/** The parent's other messages: count this part, or go on with the current part. */
export type Order = { part: number; goOn?: undefined } | { goOn: true; part?: undefined }
/** A child's message to the parent. */
export interface Report {
  part: number
  halfway: boolean
}

leaveSignalsToParent()

const inbox = on(process, 'message', { close: ['disconnect'] })
const hear = async <T>(): Promise<T | undefined> => (await inbox.next()).value?.[0]
const report = (message: Report): void => tellParent(message)

async function work({ limits, parts, ...job }: Job): Promise<void> {
  using flights = open(job.flights) as NDArray<'int32'>
  using byHour = open(job.results.byHour) as NDArray<'int32'>
  using byDistance = open(job.results.byDistance) as NDArray<'int32'>
  using byRoute = open(job.results.byRoute) as NDArray<'int32'>
  const results = { byHour, byDistance, byRoute }
  const columns = columnsOf(flights)
  const rows = flights.shape[1] as number

  for (let order = await hear<Order>(); order?.part !== undefined; order = await hear<Order>()) {
    const { part } = order
    const start = Math.floor((part * rows) / parts)
    const end = Math.floor(((part + 1) * rows) / parts)
    const middle = Math.floor((start + end) / 2)
    const counts = noCounts(limits)
    count(columns, start, middle, limits, counts)
    report({ part, halfway: true })
    if (!(await hear<Order>())) return
    count(columns, middle, end, limits, counts)

    // A process can be killed at any instruction, and all that it wrote before that stays. So no
    // child adds to counts in shared memory: half an addition could be neither completed nor
    // undone. Each part has a row of its own. A child counts in private memory, stores the complete
    // row, and only then reports the part. Before the report the row has no meaning: if the child
    // dies, the next child that gets the part overwrites the row. No flight is lost or counted
    // twice.
    for (const kind of kindsOfCounts) results[kind].subarray(part).data.set(counts[kind])
    report({ part, halfway: false })
  }
}

hear<Job>().then(job => job && work(job))
