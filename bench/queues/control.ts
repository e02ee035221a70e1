// Orders and answers between the two ends, which don't use the queue that is measured.
import type { ChildProcess, ForkOptions } from 'node:child_process'
import { on } from 'node:events'
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { isMainThread, parentPort, type TransferListItem, Worker, workerData } from 'node:worker_threads'
import { startChild } from '../harness/child.js'

/** The far end, a process or a thread, as the near end uses it. */
export interface Far {
  tell(line: string): void
  /** The next line of the far end. */
  answer(): Promise<string>
  stop(): void
}

/** The arguments of a far end. */
export interface Start {
  transport: string
  /** What the transport needs to connect to the near end. */
  data: unknown
}

const program = join(__dirname, 'far.js')

export function farProcess(start: Start, options: ForkOptions = {}): Far & { child: ChildProcess } {
  const child = startChild(program, [JSON.stringify(start)], {
    ...options,
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
  })
  const { stdin, stdout } = child as ChildProcess & {
    stdin: NodeJS.WritableStream
    stdout: NodeJS.ReadableStream
  }
  const answers = createInterface({ input: stdout })[Symbol.asyncIterator]()
  return {
    child,
    tell: line => stdin.write(`${line}\n`),
    answer: async () => (await answers.next()).value as string,
    stop: () => stdin.end(),
  }
}

export function farThread(start: Start, transferList: TransferListItem[] = []): Far {
  const worker = new Worker(program, { workerData: start, transferList })
  worker.on('error', error => {
    throw error
  })
  const answers = on(worker, 'message')
  return {
    tell: line => worker.postMessage(line),
    answer: async () => ((await answers.next()).value as [string])[0],
    stop: () => void worker.terminate(),
  }
}

/** The near end, as the far end uses it. */
export const near = {
  start: (): Start => (isMainThread ? JSON.parse(process.argv[2] as string) : workerData),

  /** Writes at once, since this thread may block next. */
  tell(line: string): void {
    if (parentPort) parentPort.postMessage(line)
    else writeSync(1, `${line}\n`)
  },

  onOrder(obey: (line: string) => void): void {
    if (parentPort) parentPort.on('message', obey)
    else createInterface({ input: process.stdin }).on('line', obey).on('close', process.exit)
  },
}
