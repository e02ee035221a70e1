import { SharedArray } from 'crossmem'
import { rest } from '../helpers/rest.js'
import { mpmc } from './mpmc-small-queue.js'
import type { SmallQueue } from './small-queue.js'

type Words = Int32Array
type Update = <Result>(array: SharedArray<'int32'>, change: (words: Words) => Result) => Result

const HEAD = 0
const TAIL = 1
const SLOTS = 2

/**
 * A ring in a shared array, whose changes `update` makes. Each is one store, so that a death leaves
 * no half of it.
 */
const ring =
  (update: Update, hesitate: () => void = () => undefined) =>
  (name: string, capacity: number): SmallQueue => {
    const array = SharedArray.openOrCreate(name, 'int32', SLOTS + capacity)
    const slot = (at: number): number => SLOTS + (at % capacity)

    const push = (words: Words, message: number): boolean => {
      const [head = 0, tail = 0] = words
      if (tail - head >= capacity) return false
      hesitate()
      words[slot(tail)] = message
      Atomics.store(words, TAIL, tail + 1)
      return true
    }
    const pop = (words: Words): number | undefined => {
      const [head = 0, tail = 0] = words
      if (head >= tail) return undefined
      hesitate()
      const message = words[slot(head)]
      Atomics.store(words, HEAD, head + 1)
      return message
    }
    return {
      tryPush: message => update(array, words => push(words, message)),
      tryPop: () => update(array, pop),
      [Symbol.dispose]: () => array.close(),
    }
  }

/** By kind: creates a queue, or opens it where it is. */
export const queues = {
  /** Under the array's lock. */
  locked: ring((array, change) => array.update(change)),
  /**
   * Broken: without the lock. It hesitates in the middle, so that this shows even where only one
   * process runs at a time.
   */
  racy: ring((array, change) => change(array.data), rest),
  mpmc: mpmc(false),
  redelivering: mpmc(true),
}

export type QueueKind = keyof typeof queues
