// A child: counts the flights of one part after the other, in the memory where they are.
import { on } from 'node:events'
import { type NDArray, open, type Reference } from 'crossmem'
import { type Counts, columnsOf, count, kindsOfCounts, type Limits, noCounts } from './analyse.js'
import { leaveSignalsToParent, tellParent } from './parent.js'

/** What the parent says first. */
export interface Job {
  /** int32 [columns, flights]. */
  flights: Reference
  /** For each of the counts an int32 array [parts, …its shape]: a row per part. */
  results: Record<keyof Counts, Reference>
  limits: Limits
  parts: number
}
/** What it says then: do this part, or go on with the one in hand. */
export type Order = { part: number; goOn?: undefined } | { goOn: true; part?: undefined }
/** What a child answers. */
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

    // A process can be killed at any instruction, and whatever it had written until then stays. So nothing is added up
    // in shared memory: half an addition could be neither completed nor taken back. A part has its own row, is counted
    // in private, stored when it is complete, and only then reported. Until the report the row means nothing, and
    // whoever gets the part after a death stores the same row over it: nothing is lost, and nothing counts twice.
    for (const kind of kindsOfCounts) results[kind].subarray(part).data.set(counts[kind])
    report({ part, halfway: false })
  }
}

hear<Job>().then(job => job && work(job))
