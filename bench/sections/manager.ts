import { type Contender, type Effort, inTurn, rowsOf } from '../harness/measure.js'
import { reasons } from '../harness/missing.js'
import { type Section, type Table, type Target, times } from '../harness/section.js'
import { CROSSMEM, comlink, crossmem, type Peer, pythonManager, redis } from '../managers/peers.js'

/** Calls that are made at once, where a table says so. */
const AT_ONCE = 64

const QUESTIONS = [
  { title: 'dict.get, one by one', call: 'get', atOnce: 1, least: 3 },
  { title: 'list.push, one by one', call: 'push', atOnce: 1, least: 3 },
  { title: `dict.get, ${AT_ONCE} at once`, call: 'get', atOnce: AT_ONCE, least: 10 },
  { title: `list.push, ${AT_ONCE} at once`, call: 'push', atOnce: AT_ONCE, least: 10 },
] as const

/** Calls of a dict and a list in another process. */
export async function manager(effort: Effort): Promise<Section> {
  const all = await Promise.all([crossmem(), comlink(), pythonManager(), redis()])
  const peers = all.filter((peer): peer is Peer => 'measure' in peer)
  try {
    const tables: Table[] = []
    const targets: Target[] = []
    for (const { title, call, atOnce, least } of QUESTIONS) {
      const contenders = peers.map(peer => contender(peer, call, atOnce))
      const table: Table = { title, baseline: CROSSMEM, rows: rowsOf(await inTurn(contenders, effort)) }
      tables.push(table)
      const python = peers.find(({ name }) => name.startsWith('Python'))
      if (python)
        targets.push({
          what: `${title}: Python's Manager`,
          got: times(table, python.name, CROSSMEM),
          atLeast: least,
        })
    }
    return {
      id: 'manager',
      title: 'Managers',
      intro:
        `A dict with one text, and a list, in another process; each call is awaited. "${AT_ONCE} at once": so many ` +
        'loops of awaited calls; in Python, so many threads. The figure is the time of one call.',
      tables,
      targets,
      better: [
        'Redis: it serves programs in any language, can keep its data on a disk, and has replicas.',
        'comlink: it runs in browsers; its other side is a thread, so a call starts no system call of a socket.',
      ],
      missing: reasons(...all),
    }
  } finally {
    for (const peer of peers) await peer.stop()
  }
}

/** A slice is as many calls as fit into its time, by how long those before took. */
function contender({ name, does, measure }: Peer, call: 'get' | 'push', atOnce: number): Contender {
  let nanoseconds = 100_000
  return {
    name,
    does,
    async slice(milliseconds) {
      const count = Math.max(atOnce, Math.ceil((milliseconds * 1e6) / nanoseconds))
      nanoseconds = await measure(call, count, atOnce)
      return [nanoseconds]
    },
  }
}
