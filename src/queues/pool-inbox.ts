import type { Segment } from '../objects/index.js'
import { createValueQueue, ValueQueue } from './value-queue.js'

/** How many requests wait in it at most; more wait in the processes that make them. */
const CAPACITY = 128

/** What a pool is to other processes: a queue to which they give it tasks. */
export class PoolInbox<T = unknown> extends ValueQueue<T, 'Pool'> {
  private constructor(segment: Segment) {
    super(segment, 'Pool')
  }

  static attach<T>(segment: Segment): PoolInbox<T> {
    return new PoolInbox<T>(segment)
  }

  /** Creates one. */
  static create<T>(name: string): PoolInbox<T> {
    return new PoolInbox<T>(createValueQueue('Pool', name, { capacity: CAPACITY }))
  }
}
