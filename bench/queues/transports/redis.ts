import { redisClient, startRedis } from '../../harness/redis.js'
import { farProcess } from '../control.js'
import { decoded, encoded } from '../messages.js'
import type { Order } from '../order.js'
import type { End, Transport } from '../transport.js'

/** Two lists of a Redis server of its own, over a Unix socket. The option is the server's path. */
export const redis: Transport = {
  async near(_, program) {
    const server = startRedis(program as string)
    const { socket: path } = server
    const [statistics, end] = await Promise.all([connected(path), redisEnd(path, 'there', 'back')])
    const [, version] = /redis_version:(\S+)/.exec(String(await statistics.info('server'))) ?? []
    return {
      end,
      start: () => farProcess({ transport: 'redis', data: path }),
      version,
      othersCpu: async () => cpuIn(String(await statistics.info('cpu'))),
      stop() {
        for (const client of [...end.clients, statistics]) client.destroy()
        server.stop()
      },
    }
  },
  far: path => redisEnd(path as string, 'back', 'there'),
}

async function connected(socket: string) {
  const { RESP_TYPES } = require('@redis/client') as typeof import('@redis/client')
  const client = await redisClient(socket)
  return client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
}

const cpuIn = (info: string): number =>
  1e9 *
  [...info.matchAll(/used_cpu_(?:sys|user):(\S+)/g)].reduce((sum, [, seconds]) => sum + Number(seconds), 0)

/** The most that is sent before the sender waits for a reply, and that is received at once. */
const MOST_MESSAGES = 128
const MOST_BYTES = 1 << 20

function pipelined({ kind, payload, batch }: Pick<Order, 'kind' | 'payload' | 'batch'>): number {
  if (kind === 'trips') return 1
  return payload === 'object' ? MOST_MESSAGES : Math.max(batch, Math.min(MOST_MESSAGES, MOST_BYTES / payload))
}

/** BRPOP keeps its connection busy while it waits, so each end has two connections. */
async function redisEnd(path: string, there: string, back: string) {
  const [sender, receiver] = await Promise.all([connected(path), connected(path)])
  let onTheirWay = 0
  const end: End = {
    send(parcel) {
      // The client writes later, so it needs copies.
      const messages = [parcel].flat().map(message => Buffer.from(encoded(message)))
      const done = sender.lPush(there, messages)
      onTheirWay += messages.reduce(
        (sum, { length }) => sum + Math.max(length, MOST_BYTES / MOST_MESSAGES),
        0,
      )
      if (onTheirWay < MOST_BYTES) return
      onTheirWay = 0
      return done
    },
    async receive(order, take) {
      const atOnce = pipelined(order)
      for (;;) {
        const first = receiver.brPop(back, 0)
        const others = atOnce === 1 ? null : receiver.rPopCount(back, atOnce - 1)
        const { element } = (await first) as { element: Buffer }
        const messages = [element, ...(((await others) as Buffer[] | null) ?? [])]
        if (take(messages.map(bytes => decoded(bytes, order.payload)))) return
      }
    },
  }
  return { ...end, clients: [sender, receiver] }
}
