import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Process } from '../process/index.js'
import { setTimeout } from '../wait/index.js'
import type { Ending, Host } from './host.js'
import { oomKills } from './memory.js'
import type { CheckedPool } from './options.js'

const program = join(__dirname, 'worker-main.js')

/** How many characters of a worker's standard error are kept. */
const KEPT = 4096

/** For how long, in milliseconds, the rest of the output of a process that has ended is awaited. */
const REST = 100

/** A worker that is a process of its own. It ends with the pool's. */
export class ProcessHost implements Host {
  readonly ended: Promise<Ending>
  readonly #process: Process
  readonly #oomKills = oomKills()
  #lastErrors = ''

  constructor(name: string, args: readonly unknown[], { cwd, env, execArgv }: CheckedPool['host']) {
    this.#process = Process.start(program, {
      cwd,
      env,
      execArgv,
      run: 'serve',
      args,
      name,
      daemon: true,
      stdio: ['ignore', 'inherit', 'pipe'],
    })
    const errors = this.#process.stderr as Readable
    errors.on('data', (part: Buffer) => {
      process.stderr.write(part)
      this.#lastErrors = (this.#lastErrors + part.toString()).slice(-KEPT)
    })
    const isRead = new Promise<void>(resolve => void errors.once('close', resolve))
    this.ended = this.#process.join({ unref: true }).then(
      () => this.#ending(isRead),
      (cause: unknown) => ({ exitCode: null, signal: null, outOfMemory: false, lastErrors: '', cause }),
    )
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  kill(): void {
    this.#process.kill()
  }

  async #ending(isRead: Promise<void>): Promise<Ending> {
    const { exitCode, signal } = this.#process
    // A child of the worker may have its standard error, and live on.
    const late = new Promise<void>(resolve => void setTimeout(resolve, REST).unref())
    if (signal !== 'SIGKILL') await Promise.race([isRead, late])
    return { exitCode, signal, outOfMemory: this.#ranOutOfMemory(), lastErrors: this.#lastErrors }
  }

  #ranOutOfMemory(): boolean {
    const { signal } = this.#process
    if (signal === 'SIGKILL') return oomKills() > this.#oomKills
    return signal === 'SIGABRT' && /heap out of memory|Allocation failed/.test(this.#lastErrors)
  }
}
