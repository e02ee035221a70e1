import { SharedArray } from 'crossmem'
import { unique } from '../helpers/domain.js'
import { type Below, random } from '../helpers/random.js'
import { type Hired, hire } from '../processes/hire.js'
import { LAST, NotedQueue, Notes, PROCESSES } from './notes.js'
import type { Operation } from './queue-model.js'
import { type QueueKind, queues } from './small-queues.js'

/** Processes that are killed in one history, at most. */
const DEATHS = 2
/**
 * In one of so many disturbed histories they are killed wherever they are, not only inside a call.
 */
const RUTHLESS = 32
/** Processes at hand to replace killed ones: hiring takes far longer than a history. */
const SPARE = 2
/**
 * Turns of the event loop, at most, that a process is left alone or stopped: about as long as a few
 * calls.
 */
const WHILE = 20

export interface Turn {
  kind: QueueKind
  name: string
  capacity: number
  /** Number of this process in the history. */
  me: number
  seed: number
}

export interface HistoryOrders {
  takePart(turn: Turn): void
}

type Recorded = Hired<HistoryOrders>

export interface Recording {
  capacity: number
  history: Operation[]
  deaths: number
}

/**
 * Records histories of one kind of queue, each of a new queue that processes use at the same time.
 * In every other one they are stopped wherever they are, one after the other, while the others go
 * on; a process stopped inside a call is killed there.
 */
export class Recorder {
  readonly #kind: QueueKind
  readonly #memory = SharedArray.create(null, 'int32', Notes.LENGTH)
  readonly #notes = new Notes(this.#memory.data)
  #hired = Array.from({ length: PROCESSES + SPARE }, () => this.#hire())

  constructor(kind: QueueKind) {
    this.#kind = kind
  }

  /** The seed decides which process makes which calls; the processors decide when. */
  async record(seed: number): Promise<Recording> {
    const below = random(seed)
    const [kind, name, capacity] = [this.#kind, unique('queue'), 1 + below(4)]
    using queue = queues[kind](name, capacity)
    this.#notes.clear()
    const crew = await Promise.all(this.#hired.slice(0, PROCESSES))
    const killed = new Set<number>()
    const end = Promise.all(
      crew.map(async (child, me) => {
        const turn = { kind, name, capacity, me, seed: below(2 ** 32) }
        await child.tell({ do: 'takePart', ...turn }).catch(error => {
          if (!killed.has(me)) throw error
        })
      }),
    )
    if (below(2)) await this.#disturb(crew, end, killed, below)
    await end
    await this.#replace(killed)
    new NotedQueue(queue, this.#notes, LAST).drain()
    return { capacity, history: this.#notes.history(), deaths: killed.size }
  }

  async close(): Promise<void> {
    for (const child of await Promise.all(this.#hired)) await child.kill()
    this.#memory.close()
  }

  async #disturb(
    crew: readonly Recorded[],
    end: Promise<unknown>,
    killed: Set<number>,
    below: Below,
  ): Promise<void> {
    const isRuthless = below(RUTHLESS) === 0
    let isOver = false
    const over = () => {
      isOver = true
    }
    end.then(over, over)
    while (!isOver) {
      await turns(1 + below(WHILE))
      const number = below(PROCESSES)
      if (killed.has(number)) continue
      crew[number]?.signal('SIGSTOP')
      await turns(1 + below(WHILE))
      const { hasBegun } = this.#notes
      const isDoomed = killed.size < DEATHS && (isRuthless ? hasBegun : this.#notes.isInside(number))
      if (isDoomed) killed.add(number)
      crew[number]?.signal(isDoomed ? 'SIGKILL' : 'SIGCONT')
    }
  }

  /** Waits until the killed ones are gone. */
  async #replace(killed: ReadonlySet<number>): Promise<void> {
    const leaving = this.#hired.filter((_, i) => killed.has(i))
    this.#hired = [...this.#hired.filter((_, i) => !killed.has(i)), ...leaving.map(() => this.#hire())]
    for (const child of leaving) await (await child).gone()
  }

  #hire(): Promise<Recorded> {
    return hire('proofs/record-history', { args: [this.#memory.name] })
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate)
}
