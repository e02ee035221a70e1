import { type Contender, counted } from '../harness/measure.js'
import type { Program } from '../harness/program.js'

/** The program for multiprocessing.shared_memory, as the path below bench/. */
export const SHARED_MEMORY = 'memory/shared_memory.py'

/** Slices of multiprocessing.shared_memory, by shared_memory.py. */
export const pythonMemory = ({ ask }: Program, deed: 'cycle' | 'fill' | 'open'): Contender['slice'] =>
  counted(count => ask(`${deed} ${count}`))
