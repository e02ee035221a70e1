import { type Contender, counted } from '../harness/measure.js'
import type { Program } from '../harness/program.js'

/** The programs of bench/locks, as the path below bench/. */
export const LOCKS = 'locks/locks.py'

/** Slices of multiprocessing.Lock or Semaphore, by locks.py. */
export const pythonLocks = ({ ask }: Program, deed: 'acquire' | 'with' | 'turns'): Contender['slice'] =>
  counted(count => ask(`${deed} ${count}`))

export const pythonContended =
  ({ ask }: Program, processes: number): Contender['slice'] =>
  milliseconds =>
    ask(`contend ${processes} ${milliseconds}`)
