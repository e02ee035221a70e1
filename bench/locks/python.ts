import type { Python } from '../harness/python.js'

/** A sample of multiprocessing.Lock or Semaphore, by locks.py. */
export const pythonLocks = (
  { sample }: Python,
  deed: 'acquire' | 'with' | 'operations' | 'hand-overs' | 'turns',
  ...numbers: number[]
): (() => number) => sample('locks/locks.py', deed, ...numbers)
