import { CrossmemError } from '../errors.js'
import { show } from '../util/index.js'
import { type IoredisClient, ioredisDial } from './ioredis-link.js'
import type { Dial } from './link.js'
import { type NodeRedisClient, nodeRedisDial } from './node-redis-link.js'
import { CLUSTER } from './server-errors.js'

/**
 * A client of `ioredis`, `iovalkey`, `redis` or `@redis/client` (version 5 or later). Its settings
 * are used, not its connection: crossmem makes connections of its own by `client.duplicate()`.
 */
export interface RedisClient {
  /** Makes another client of the same settings. */
  duplicate(...options: never[]): unknown
}

const has = (client: object, ...methods: string[]): boolean =>
  methods.every(name => typeof (client as Record<string, unknown>)[name] === 'function')

/**
 * How to connect as this client does.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: it is no client that crossmem knows. ERR_UNSUPPORTED: it
 *   is a client of a cluster
 */
export function dialOf(client: unknown): Dial {
  if (typeof client === 'object' && client !== null) {
    if ((client as { isCluster?: unknown }).isCluster === true || 'masters' in client) throw ofCluster()
    if (has(client, 'callBuffer', 'duplicate')) return ioredisDial(client as IoredisClient)
    if (has(client, 'sendCommand', 'duplicate', 'destroy')) return nodeRedisDial(client as NodeRedisClient)
  }
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    `client is a client of ioredis, iovalkey, or redis 5 or later, not ${show(client)}`,
  )
}

export const ofCluster = (): CrossmemError => new CrossmemError('ERR_UNSUPPORTED', CLUSTER)
