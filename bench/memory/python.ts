import type { Python } from '../harness/python.js'

/** A sample of multiprocessing.shared_memory, by shared_memory.py. */
export const pythonMemory = (
  { sample }: Python,
  deed: 'cycle' | 'fill' | 'open',
  iterations: number,
): (() => number) => sample('memory/shared_memory.py', deed, iterations)
