import { type Contender, type Effort, inTurn, perRepetition, rowsOf } from '../harness/measure.js'
import { reasons } from '../harness/missing.js'
import { python } from '../harness/python.js'
import { redisServer } from '../harness/redis.js'
import { type Section, type Table, type Target, times } from '../harness/section.js'
import { CROSSMEM, LMDB, PRIMARY, REDIS, type Store, startStores } from '../maps/stores.js'

const KEYS = Array.from({ length: 1000 }, (_, i) => `user:${i}`)
const VALUE = { id: 17, name: 'Ada', role: 'admin', score: 3.5 }

/** Reading and writing an entry that other processes see. */
export async function map(effort: Effort): Promise<Section> {
  const server = redisServer(python())
  const stores = await startStores('missing' in server ? undefined : server.path)
  try {
    for (const { set } of stores) for (const key of KEYS) await set(key, VALUE)
    const reads: Table = {
      title: 'Read a small object',
      baseline: CROSSMEM,
      rows: rowsOf(await inTurn(stores.map(reader), effort)),
    }
    const writes: Table = {
      title: 'Write a small object',
      baseline: CROSSMEM,
      rows: rowsOf(await inTurn(stores.map(writer), effort)),
    }
    return {
      id: 'map',
      title: 'A map of several processes',
      intro:
        'One process of several reads and writes the entries that all of them share, one after the other: 1,000 keys, and an object of four ' +
        'properties. A SharedMap and lmdb are read by a call; with a server, or the primary of a cluster, each read is a message and ' +
        'its answer. The file of lmdb is in memory, too, and not synchronised.',
      tables: [reads, writes],
      targets: targetsOf(reads, 'missing' in server),
      better: [
        'lmdb: it writes to disks as well, where data outlives the machine.',
        'Redis: it serves several machines, and has data structures, replication and persistence.',
      ],
      missing: reasons(server),
    }
  } finally {
    for (const { stop } of stores) await stop()
  }
}

const reader = ({ name, gets, get }: Store): Contender => ({
  name,
  does: gets,
  slice: perRepetition(async repetitions => {
    for (let i = 0; i < repetitions; i++) {
      const found = get(KEYS[i % KEYS.length] as string)
      // No turn of the event loop for those that need none.
      if (found instanceof Promise) await found
    }
  }),
})

const writer = ({ name, sets, set }: Store): Contender => ({
  name,
  does: sets,
  slice: perRepetition(async repetitions => {
    for (let i = 0; i < repetitions; i++) await set(KEYS[i % KEYS.length] as string, VALUE)
  }),
})

function targetsOf(reads: Table, withoutRedis: boolean): Target[] {
  const faster = (peer: string, atLeast: number): Target => ({
    what: `SharedMap.get of a small object: times faster than ${peer}`,
    got: times(reads, peer, CROSSMEM),
    atLeast,
  })
  return [faster(LMDB, 0.8), ...(withoutRedis ? [] : [faster(REDIS, 20)]), faster(PRIMARY, 20)]
}
