import { SharedMemory } from '../memory/index.js'

/** What clients must know of a pool before they give it the first task. */
export interface Terms {
  /** How many workers there are at most. */
  workers: number
  /** Whether large arrays travel in shared memory. */
  share: boolean
  /** How often a task is run again that doesn't say so itself. */
  retries: number
}

const termsOf = (pool: string): string => `${pool}.terms`

/** Lets clients read the terms of a pool until the memory is closed. */
export function publishTerms(pool: string, { workers, share, retries }: Terms): SharedMemory {
  const numbers = Float64Array.of(workers, Number(share), retries)
  const memory = SharedMemory.create(termsOf(pool), numbers.byteLength)
  memory.write(0, numbers)
  return memory
}

/** @throws {CrossmemError} ERR_NOT_FOUND: the pool is gone */
export function readTerms(pool: string): Terms {
  const memory = SharedMemory.open(termsOf(pool))
  const [workers = 1, share, retries = 0] = memory.read(0, new Float64Array(3))
  memory.close()
  return { workers, share: share === 1, retries }
}
