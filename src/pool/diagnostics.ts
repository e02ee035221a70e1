import { channel } from 'node:diagnostics_channel'
import type { Job } from './job.js'

/** A task, as the channels tell of it. */
export interface TaskMessage {
  /** The name of the pool, as in the names of its workers. */
  readonly pool: string
  /** The number of the task in the pool. */
  readonly task: number
  /** The export that it runs. */
  readonly run: string
}

const submitted = channel('crossmem:pool:submit')
const settled = channel('crossmem:pool:settle')
const ready = channel('crossmem:pool:worker-ready')
const exited = channel('crossmem:pool:worker-exit')

// Without a subscriber, no message is made.

export function publishSubmit(pool: string, job: Job): void {
  if (submitted.hasSubscribers) submitted.publish(messageOf(pool, job))
}

export function publishSettle(pool: string, job: Job): void {
  if (settled.hasSubscribers) settled.publish({ ...messageOf(pool, job), outcome: job.outcome })
}

export function publishReady(pool: string, worker: object): void {
  if (ready.hasSubscribers) ready.publish({ pool, ...worker })
}

export function publishExit(pool: string, worker: object): void {
  if (exited.hasSubscribers) exited.publish({ pool, ...worker })
}

const messageOf = (pool: string, { id, call }: Job): TaskMessage => ({ pool, task: id, run: call.run })
