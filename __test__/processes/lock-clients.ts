import type { ChildProcess } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import type { Answers, Order, Outcome } from '../fixtures/web-locks/obey-named-locks.js'
import { fixture } from '../helpers/paths.js'
import { start } from './children.js'

/** Another process or worker thread that requests locks as it is told. */
export interface LockClient {
  tell<Told extends Order>(order: Told): Promise<Answers[Told['do']]>
  /** Requests a lock; resolves when it was granted, with the number by which to release it. */
  hold(name: string, options?: { mode?: 'shared' | 'exclusive'; steal?: boolean }): Promise<Granted>
}

export interface Granted {
  id: number
  recovered: boolean
}

interface Message {
  rqid: number
  answer?: unknown
}

function client(send: (message: object) => void, onMessage: (hear: (message: Message) => void) => void) {
  const answers = new Map<number, (answer: never) => void>()
  let next = 1
  const ready = new Promise<void>(resolve => {
    answers.set(0, resolve as never)
  })
  onMessage(({ rqid, answer }) => {
    answers.get(rqid)?.(answer as never)
    answers.delete(rqid)
  })
  const tell: LockClient['tell'] = order =>
    new Promise(resolve => {
      const rqid = next++
      answers.set(rqid, resolve as never)
      send({ rqid, order })
    })
  const hold: LockClient['hold'] = async (name, options) => {
    const outcome: Outcome = await tell({ do: 'request', name, options })
    if ('id' in outcome) return outcome
    throw new Error(`"${name}" was not granted: ${JSON.stringify(outcome)}`)
  }
  return { ready, tell, hold }
}

/** Starts a process. */
export async function lockProcess(): Promise<LockClient & { child: ChildProcess }> {
  const child = start('web-locks/obey-named-locks')
  const { ready, ...rest } = client(
    message => child.send(message),
    hear => child.on('message', hear as (message: unknown) => void),
  )
  await ready
  return { child, ...rest }
}

/** Starts a worker thread. */
export async function lockWorker(): Promise<LockClient & { worker: Worker }> {
  const worker = new Worker(fixture('web-locks/obey-named-locks'))
  const { ready, ...rest } = client(
    message => worker.postMessage(message),
    hear => worker.on('message', hear),
  )
  await ready
  return { worker, ...rest }
}
