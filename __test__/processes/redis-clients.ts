import type { RedisClient } from 'crossmem/redis'
import { Redis } from 'ioredis'
import { Redis as Valkey } from 'iovalkey'
import { createClient } from 'redis'
import type { Address } from './redis-server.js'

/** The clients that a user may hand in. */
export const clients = ['ioredis', 'iovalkey', 'redis'] as const
export type ClientName = (typeof clients)[number]

/** A client, which isn't connected: only its settings are used. */
export function clientFor(name: ClientName, address: Address): RedisClient {
  if (name === 'redis') return createClient({ socket: address as never }) as unknown as RedisClient
  const Client = name === 'ioredis' ? Redis : Valkey
  return new Client({ ...address, lazyConnect: true }) as unknown as RedisClient
}
