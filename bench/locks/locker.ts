// A child process that uses locks, as messages order.
import { Event, Mutex, Semaphore, SharedMemory } from 'crossmem'
import { cpuTime } from '../harness/cpu.js'
import { nanoseconds } from '../harness/measure.js'

export type Order =
  /** Lock and release until the board's state is OVER. `me` identifies the process. */
  | { kind: 'contend'; me: number }
  /** Be one of two sides that signal each other in turn, for `rounds` rounds. */
  | { kind: 'turns'; with: 'events' | 'semaphores'; side: 'first' | 'second'; rounds: number }
  /** Wait for the lock, and answer how long after the release the wait ended. */
  | { kind: 'wait'; how: 'lock' | 'lockSync' }
  | { kind: 'echo' }

/** What a locker answers. CPU times are in nanoseconds. */
export interface Answers {
  contend: { operations: number; handOvers: number; ns: number; cpu: number }
  /** Per round. */
  turns: { ns: number; cpu: number }
  wait: { ns: number; cpu: number }
  /** `cpu` is that since the process began. */
  echo: { cpu: number }
}

export const READY = 0
export const RUNNING = 1
export const OVER = 2

/** The memory that these processes share beside the locks. */
export class Board {
  /** READY, RUNNING or OVER. */
  readonly state: Int32Array
  /** How many processes are ready to run, or are about to wait. */
  readonly ready: Int32Array
  /** The process (its `me`) that had the lock last. */
  readonly last: Int32Array
  /** When the lock was released, by `process.hrtime.bigint()`, the clock of all processes. */
  readonly released: BigInt64Array

  constructor({ buffer }: SharedMemory) {
    // Each field has a cache line of its own.
    this.state = new Int32Array(buffer, 0, 1)
    this.ready = new Int32Array(buffer, 64, 1)
    this.last = new Int32Array(buffer, 128, 1)
    this.released = new BigInt64Array(buffer, 192, 1)
  }
}

/** Opens all objects, or creates them. Their names begin with `name`. */
export function openAll(name: string) {
  const [ping, pong] = ['ping', 'pong'].map(side => ({
    event: Event.openOrCreate(`${name}-event-${side}`, { autoReset: true }),
    semaphore: Semaphore.openOrCreate(`${name}-semaphore-${side}`, 0),
  })) as [Signals, Signals]
  const memory = SharedMemory.openOrCreate(`${name}-board`, 256)
  const mutex = Mutex.openOrCreate(`${name}-mutex`)
  const close = () => {
    for (const object of [ping, pong].flatMap(signals => Object.values(signals))) object.close()
    memory.close()
    mutex.close()
  }
  return { mutex, board: new Board(memory), ping, pong, close }
}

interface Signals {
  event: Event
  semaphore: Semaphore
}

/** Runs only in a child. The bench itself imports this file for its types and for `openAll`. */
function serve(name: string): void {
  const { mutex, board, ping, pong, close } = openAll(name)

  function contend(me: number): Answers['contend'] {
    Atomics.add(board.ready, 0, 1)
    while (Atomics.load(board.state, 0) === READY);
    let [operations, handOvers] = [0, 0]
    const [start, cpu] = [nanoseconds(), cpuTime()]
    while (Atomics.load(board.state, 0) === RUNNING) {
      const guard = mutex.lockSync()
      if (board.last[0] !== me) {
        board.last[0] = me
        handOvers++
      }
      guard.release()
      operations++
    }
    return { operations, handOvers, ns: nanoseconds() - start, cpu: cpuTime() - cpu }
  }

  function turns(order: Order & { kind: 'turns' }): Answers['turns'] {
    const isFirst = order.side === 'first'
    const [mine, theirs] = isFirst ? [ping, pong] : [pong, ping]
    const signal = order.with === 'events' ? () => mine.event.set() : () => mine.semaphore.release()
    const wait =
      order.with === 'events' ? () => theirs.event.waitSync() : () => theirs.semaphore.acquireSync().consume()
    const turn = isFirst ? [signal, wait] : [wait, signal]
    const [begin, end] = turn as [() => void, () => void]
    // One round that isn't measured: when it is over, both sides are there.
    begin()
    end()
    const [start, cpu] = [nanoseconds(), cpuTime()]
    for (let i = 0; i < order.rounds; i++) {
      begin()
      end()
    }
    return { ns: (nanoseconds() - start) / order.rounds, cpu: (cpuTime() - cpu) / order.rounds }
  }

  async function wait(how: 'lock' | 'lockSync'): Promise<Answers['wait']> {
    const cpu = cpuTime()
    let now: bigint
    if (how === 'lock') {
      const coming = mutex.lock()
      Atomics.store(board.ready, 0, 1)
      const guard = await coming
      now = process.hrtime.bigint()
      guard.release()
    } else {
      Atomics.store(board.ready, 0, 1)
      const guard = mutex.lockSync()
      now = process.hrtime.bigint()
      guard.release()
    }
    return { ns: Number(now - (board.released[0] as bigint)), cpu: cpuTime() - cpu }
  }

  // An order that needs no waiting is answered without a promise.
  function obey(order: Order): Answers[Order['kind']] | Promise<Answers['wait']> {
    switch (order.kind) {
      case 'contend':
        return contend(order.me)
      case 'turns':
        return turns(order)
      case 'wait':
        return wait(order.how)
      case 'echo':
        return { cpu: cpuTime() }
    }
  }

  process.on('message', async (order: Order) => {
    const answer = obey(order)
    process.send?.(answer instanceof Promise ? await answer : answer)
  })
  process.on('disconnect', close)
  process.send?.('ready')
}

if (require.main === module) serve(process.argv[2] as string)
