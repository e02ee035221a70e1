import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { CrossmemError } from '../errors.js'
import type { Ending, Host } from './host.js'
import type { CheckedPool } from './options.js'
import { Parcel } from './parcel.js'

const program = join(__dirname, 'thread-main.js')

/** A worker that is a thread of this process. It ends with the thread that made the pool. */
export class ThreadHost implements Host {
  readonly ended: Promise<Ending>
  readonly #worker: Worker

  constructor(
    name: string,
    args: readonly unknown[],
    { env, execArgv, resourceLimits }: CheckedPool['host'],
  ) {
    // The objects live until the thread has opened them.
    const parcel = new Parcel(args, true)
    try {
      this.#worker = new Worker(program, {
        name,
        workerData: { wire: parcel.wire, sender: parcel.sender },
        env,
        execArgv: execArgv && [...execArgv],
        resourceLimits,
      })
    } catch (error) {
      parcel.release()
      throw notStarted(error)
    }
    this.#worker.unref()
    this.#worker.once('message', () => parcel.release())
    let cause: unknown
    this.#worker.once('error', error => {
      cause = error
      process.stderr.write(`${name}:\n${textOf(error)}\n`)
    })
    this.ended = new Promise(resolve => {
      this.#worker.once('exit', exitCode => {
        parcel.release()
        resolve({
          exitCode,
          signal: null,
          outOfMemory: Object(cause).code === 'ERR_WORKER_OUT_OF_MEMORY',
          lastErrors: cause === undefined ? '' : textOf(cause),
        })
      })
    })
  }

  /** That of this process. */
  get pid(): number {
    return process.pid
  }

  kill(): void {
    void this.#worker.terminate()
  }
}

const textOf = (error: unknown): string => String(Object(error).stack ?? error)

function notStarted(cause: unknown): unknown {
  const { code, message } = Object(cause) as { code?: unknown; message?: unknown }
  if (code !== 'ERR_WORKER_INVALID_EXEC_ARGV') return cause
  return new CrossmemError('ERR_INVALID_ARG', `execArgv: ${message}`, { cause })
}
