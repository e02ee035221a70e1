import { type Hired, hire } from './hire.js'
import type { ClientName } from './redis-clients.js'
import type { Address } from './redis-server.js'

/** What a process that uses a server is told. */
export interface ServerOrders {
  hold(order: { what: 'mutex' | 'reader' | 'writer' | 'permit' | 'message' | 'task'; name: string }): {
    fence?: number
    value?: unknown
  }
  wait(order: { what: 'mutex' | 'get' | 'put' | 'barrier'; name: string }): unknown
  openArray(order: { name: string }): { shape: number[]; last: number }
  count(order: { name: string; times: number }): void
}

export type ServerUser = Hired<ServerOrders>

/** Starts a process that uses a server; it is killed at the end of the test. */
export async function hireServerUser(
  t: { teardown(end: () => Promise<void>): void },
  address: Address,
  { client = 'ioredis', lease = 10_000 }: { client?: ClientName; lease?: number } = {},
): Promise<ServerUser> {
  const user = await hire<ServerOrders>('cluster/use-server', {
    args: [JSON.stringify(address), client, String(lease)],
  })
  t.teardown(async () => void (await user.kill()))
  return user
}
