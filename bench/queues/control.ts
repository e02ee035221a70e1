// How the two ends tell each other what to do and what came out: beside the queue that is measured.
import type { ChildProcess, ForkOptions } from 'node:child_process'
import { on } from 'node:events'
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { isMainThread, parentPort, type TransferListItem, Worker, workerData } from 'node:worker_threads'
import { startChild } from '../harness/child.js'

/** The other end, as the near one has it: a process or a thread. */
export interface Far {
  tell(line: string): void
  /** What it says, line by line. */
  answer(): Promise<string>
  stop(): void
}

/** What the far end is started with. */
export interface Start {
  transport: string
  /** What it needs to reach the near one. */
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

/** The near end, as the far one has it. */
export const near = {
  start: (): Start => (isMainThread ? JSON.parse(process.argv[2] as string) : workerData),

  /** At once, since this thread may be blocked next. */
  tell(line: string): void {
    if (parentPort) parentPort.postMessage(line)
    else writeSync(1, `${line}\n`)
  },

  onOrder(obey: (line: string) => void): void {
    if (parentPort) parentPort.on('message', obey)
    else createInterface({ input: process.stdin }).on('line', obey).on('close', process.exit)
  },
}
