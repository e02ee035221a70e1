import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { farProcess } from './queue-control.js'
import { decoded, encoded } from './queue-messages.js'
import { RedisConnection } from './queue-redis-connection.js'
import type { End } from './queue-runs.js'
import type { Transport } from './queue-transports.js'

/** Two lists of a Redis server of its own, over a Unix socket. Its option is the server's program. */
export const redis: Transport = {
  async near(program) {
    const directory = mkdtempSync(join(tmpdir(), 'bench-'))
    const path = join(directory, 'socket')
    const server = await startServer(program as string, path, directory)
    const far = farProcess({ transport: 'redis', data: path })
    const [end, statistics] = await Promise.all([redisEnd(path, 'there', 'back'), RedisConnection.open(path)])
    const [, version] = /redis_version:(\S+)/.exec(String(await statistics.ask('INFO', 'server'))) ?? []
    return {
      far,
      end,
      version,
      othersCpu: async () => cpuIn(String(await statistics.ask('INFO', 'cpu'))),
      stop() {
        for (const connection of [...end.connections, statistics]) connection.close()
        server.kill()
        rmSync(directory, { recursive: true, force: true })
      },
    }
  },
  far: path => redisEnd(path as string, 'back', 'there'),
}

async function startServer(program: string, path: string, directory: string): Promise<ChildProcess> {
  const inMemory = [
    '--port',
    '0',
    '--unixsocket',
    path,
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    directory,
  ]
  const server = spawn(program, inMemory, { stdio: 'ignore' })
  const gone = once(server, 'exit').then(([code]) => {
    throw new Error(`redis-server ended with ${code}`)
  })
  while (!existsSync(path)) await Promise.race([sleep(5), gone])
  gone.catch(() => {})
  return server
}

const cpuIn = (info: string): number =>
  1e9 *
  [...info.matchAll(/used_cpu_(?:sys|user):(\S+)/g)].reduce((sum, [, seconds]) => sum + Number(seconds), 0)

/** Whoever waits for a message keeps a connection busy, so there are two. */
async function redisEnd(
  path: string,
  there: string,
  back: string,
): Promise<End & { connections: RedisConnection[] }> {
  const [sender, receiver] = await Promise.all([RedisConnection.open(path), RedisConnection.open(path)])
  return {
    connections: [sender, receiver],
    send: parcel => sender.ask('LPUSH', there, ...[parcel].flat().map(encoded)),
    async receive({ payload, batch }, take) {
      for (;;) {
        const first = receiver.ask('BRPOP', back, '0')
        const others = batch === 1 ? [] : receiver.ask('RPOP', back, String(batch - 1))
        const [, message] = (await first) as [Buffer, Buffer]
        const messages = [message, ...(((await others) as Buffer[] | null) ?? [])]
        if (take(messages.map(bytes => decoded(bytes, payload)))) return
      }
    },
  }
}
