import { availableParallelism } from 'node:os'
import { type Contender, type Effort, inTurn, type Row, rowsOf } from '../harness/measure.js'
import type { Section, Table } from '../harness/section.js'
import { CROSSMEM, NEVER_NS, type Order } from '../pools/kinds.js'
import { type PoolPeer, startPools } from '../pools/peers.js'
import { IN_FLIGHT, NEVER } from '../pools/terms.js'
import { poolTargets } from './pool-targets.js'

/** The workers of a pool that is made to do much. */
const WORKERS = Math.max(2, availableParallelism())
/** The workers of a pool that is made to be ready. */
const READY = 4

interface Question {
  order: Order
  title: string
  /** What is asked for, in a whole run and in a quick one. */
  size?: [whole: number, quick: number]
}

const QUESTIONS: Question[] = [
  { order: 'nothing', title: 'An empty task', size: [20_000, 200] },
  { order: 'map', title: 'The squares of a million numbers', size: [1_000_000, 10_000] },
  { order: 'pass', title: 'A task with 64 MiB in and out', size: [1 << 26, 1 << 20] },
  { order: 'ready', title: 'Four workers, from nothing', size: [READY, 2] },
  { order: 'death', title: "A worker's death, until its caller knows" },
]

/** Pools of processes and of threads, beside each other. */
export async function pools(effort: Effort): Promise<Section> {
  await using started = await startPools(WORKERS)
  const missing = [...started.missing]
  const tables: Table[] = []
  for (const question of QUESTIONS) tables.push(await answer(question, started.peers, effort, missing))
  return {
    id: 'pools',
    title: 'Pools of processes and of threads',
    intro:
      `Each pool lives in a program of its own and has ${WORKERS} workers, except where a table says otherwise. Empty tasks: ` +
      `${IN_FLIGHT} are in flight until 20,000 have returned; the figure is the time of one. Squares: an array of numbers becomes ` +
      'an array of their squares; pools without a map get chunks, four for each worker, as Python makes them. 64 MiB: a ' +
      'Float64Array, in which the task changes both ends, and which it returns. Four workers: until a task runs in each of them ' +
      'at once, with a pool that is made at the start. Death: the task of a process kills it by SIGKILL, that of a thread calls ' +
      'process.exit(), just after it has written the time into a file. ' +
      `A caller that hears nothing for ${NEVER / 1000} s counts as one that never hears; such a row is measured once.`,
    tables,
    targets: poolTargets(tables, started.peers),
    better: [
      'piscina, tinypool, workerpool, poolifier, jest-worker: they need no addon, so they run wherever Node does.',
      'piscina with move: an array that changes its thread is not copied at all, whatever made it.',
      'workerpool: it runs in browsers, too.',
    ],
    missing,
  }
}

async function answer(
  { order, title, size }: Question,
  peers: PoolPeer[],
  effort: Effort,
  missing: string[],
): Promise<Table> {
  const line = size ? `${order} ${size[effort.quick ? 1 : 0]}` : order
  const [contenders, never]: [Contender[], Set<string>] = [[], new Set()]
  for (const peer of peers.filter(({ only = order }) => only === order)) {
    const first = await peer.ask(line)
    if ('failed' in first) missing.push(`${peer.name}: ${title}: ${first.failed}`)
    else contenders.push({ name: peer.name, does: peer.does, slice: sliceOf(peer, line, first, never) })
  }
  const rows = rowsOf(await inTurn(contenders, effort)).map(
    (row): Row => ({ ...row, ...(never.has(row.name) && { isNever: true }) }),
  )
  return { title, baseline: CROSSMEM, rows }
}

/** A slice is one order, however short its time. `first` is what the first one says. */
function sliceOf(
  { name, ask }: PoolPeer,
  line: string,
  first: [number | null],
  never: Set<string>,
): Contender['slice'] {
  let known: [number | null] | undefined = first
  return async () => {
    if (never.has(name)) return [NEVER_NS]
    const answered = known ?? (await ask(line))
    known = undefined
    if ('failed' in answered) throw new Error(`${name}: ${line}: ${answered.failed}`)
    const [figure] = answered
    if (figure !== null) return [figure]
    never.add(name)
    return [NEVER_NS]
  }
}
