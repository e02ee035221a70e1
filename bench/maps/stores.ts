import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { SharedMap } from 'crossmem/map'
import { open } from 'lmdb'
import { startChild } from '../harness/child.js'
import { packageVersion } from '../harness/package-version.js'
import { redisClient, startRedis } from '../harness/redis.js'
import { newDirectoryInMemory } from '../harness/temporary.js'
import type { Answered, Asked } from './asked.js'

/** Where a process of a cluster finds what another one has written. */
export interface Store {
  name: string
  gets: string
  sets: string
  /** Synchronous where the store is. */
  get(key: string): unknown
  set(key: string, value: object): unknown
  stop(): unknown
}

export const CROSSMEM = 'crossmem: SharedMap'
export const LIMITED = 'crossmem: SharedMap with maxBytes'
export const LMDB = `lmdb ${packageVersion('lmdb')}`
export const REDIS = 'Redis'
export const PRIMARY = 'cluster primary: process.send'

function ours(name: string, maxBytes?: number): Store {
  const map = SharedMap.create<object>(null, { maxBytes })
  return {
    name,
    gets: 'map.get(key)',
    sets: 'await map.set(key, value)',
    get: key => map.get(key),
    set: (key, value) => map.set(key, value),
    stop: () => map.close(),
  }
}

/** The package that a SharedMap is made with, as its own documentation uses it, in memory. */
function lmdb(): Store {
  const directory = newDirectoryInMemory()
  const db = open<object, string>({
    path: join(directory, 'db'),
    noSubdir: true,
    noSync: true,
    mapSize: 2 ** 30,
  })
  return {
    name: LMDB,
    gets: 'db.get(key), with its own MessagePack',
    sets: 'await db.put(key, value)',
    get: key => db.get(key),
    set: (key, value) => db.put(key, value),
    async stop() {
      await db.close()
      rmSync(directory, { recursive: true })
    },
  }
}

async function redis(program: string): Promise<Store> {
  const server = startRedis(program)
  const client = await redisClient(server.socket)
  return {
    name: REDIS,
    gets: 'JSON.parse(await client.get(key)) by @redis/client, over a Unix socket, without persistence',
    sets: 'await client.set(key, JSON.stringify(value))',
    get: async key => JSON.parse((await client.get(key)) as string),
    set: (key, value) => client.set(key, JSON.stringify(value)),
    stop() {
      client.destroy()
      server.stop()
    },
  }
}

/** The child plays the primary: a channel costs the same in both directions. */
function primary(): Store {
  const child = startChild(join(__dirname, 'primary.js'), [])
  const waiting = new Map<number, (value: unknown) => void>()
  let last = 0
  child.on('message', ({ id, value }: Answered) => {
    waiting.get(id)?.(value)
    waiting.delete(id)
  })
  const ask = (asked: Omit<Asked, 'id'>): Promise<unknown> =>
    new Promise(resolve => {
      waiting.set(++last, resolve)
      child.send({ id: last, ...asked })
    })
  return {
    name: PRIMARY,
    gets: 'process.send of a key; the primary sends the value of a Map back',
    sets: 'the same with a value',
    get: key => ask({ key }),
    set: (key, value) => ask({ key, value }),
    stop: () => child.disconnect(),
  }
}

/** `server`: the path of redis-server, if there is one. */
export const startStores = async (server: string | undefined): Promise<Store[]> => [
  ours(CROSSMEM),
  ours(LIMITED, 1 << 26),
  lmdb(),
  ...(server === undefined ? [] : [await redis(server)]),
  primary(),
]
