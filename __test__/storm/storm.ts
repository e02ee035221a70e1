import type { ChildProcess } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import {
  type AnyHandle,
  Barrier,
  Condition,
  Event,
  gc,
  list,
  Mutex,
  RLock,
  RwLock,
  Semaphore,
} from 'crossmem'
import { fixture } from '../helpers/paths.js'
import { below } from '../helpers/random.js'
import { gone, kill, message, start } from '../processes/children.js'
import { type Kind, kinds, type Life, type Role, roles, StormWords } from './words.js'

/** In milliseconds: longer than any call takes. */
const HANG = 10_000
/** Victims at a time, beside the survivors. */
const VICTIMS = 6

/** What became of one kind. */
export interface Summary {
  kind: Kind
  /** Killed processes that worked with it, by what they were doing. */
  killed: Record<Role, number>
  kills: number
  /** Operations that the survivors completed. */
  operations: number
  /**
   * Longest time from a death until both survivors had completed an operation that began after it.
   * In milliseconds.
   */
  longest: number
}

interface Storm {
  make(): AnyHandle[]
  /** Whether all is as it must be when all users are gone. */
  check(objects: AnyHandle[]): boolean
  /** Ends the wait of a survivor whose partner has stopped already. */
  release?(objects: AnyHandle[], words: Int32Array): void
}

const isFree = (guard: { release(): void } | undefined): boolean => {
  guard?.release()
  return guard !== undefined
}

/** Every kind: what it is made of, and what must hold when all is over. */
export const storms: Record<Kind, Storm> = {
  Mutex: { make: () => [Mutex.create(null)], check: ([lock]) => isFree((lock as Mutex).tryLock()) },
  RLock: { make: () => [RLock.create(null)], check: ([lock]) => isFree((lock as RLock).tryLock()) },
  RwLock: {
    make: () => [RwLock.create(null)],
    check: ([lock]) => isFree((lock as RwLock).tryWrite()) && isFree((lock as RwLock).tryRead()),
  },
  Semaphore: {
    make: () => [Semaphore.create(null, 1, { max: 1 }), Semaphore.create(null, 3, { max: 3 })],
    check: semaphores => (semaphores as Semaphore[]).every(({ value, max }) => value === max),
  },
  Condition: {
    make: () => [Condition.create(null)],
    check([object]) {
      const condition = object as Condition
      using guard = condition.tryLock()
      return guard !== undefined && condition.notifyAll() === 0
    },
    release([object], words) {
      const condition = object as Condition
      using guard = condition.tryLock()
      if (!guard) return
      words[3] = 1
      condition.notifyAll()
    },
  },
  Event: {
    make: () => [Event.create(null, { autoReset: true }), Event.create(null)],
    check(events) {
      for (const event of events as Event[]) event.set()
      return (events as Event[]).every(event => event.tryWait())
    },
    release(events) {
      for (const event of events as Event[]) event.set()
    },
  },
  Barrier: {
    make: () => [Barrier.create(null, 2)],
    check([object]) {
      const barrier = object as Barrier
      barrier.reset()
      return barrier.waiting === 0 && !barrier.isBroken
    },
    release([object]) {
      ;(object as Barrier).abort()
    },
  },
}

/**
 * Kills processes at any moment while two threads of this process for each kind go on, until
 * `kills` have been killed that worked with it. What must not be comes with the summaries.
 */
export async function storm(
  kills: number,
  progress: (summaries: Summary[]) => void = () => undefined,
  only: readonly Kind[] = kinds,
): Promise<{ summaries: Summary[]; violations: string[] }> {
  const words = StormWords.create()
  const made = new Map(only.map(kind => [kind, storms[kind].make()]))
  const summaries = only.map(
    (kind): Summary => ({
      kind,
      killed: { nothing: 0, waiting: 0, holding: 0, waking: 0 },
      kills: 0,
      operations: 0,
      longest: 0,
    }),
  )
  const violations: string[] = []
  const children = new Set<ChildProcess>()
  let lastId = 0

  const hear = (said: unknown): void => {
    if (said !== 'ready') violations.push(String(said))
  }
  const newLife = (kinds: readonly Kind[], isSync: boolean, survivor?: 0 | 1): Life => {
    const objects = Object.fromEntries([...made].map(([kind, them]) => [kind, them.map(({ name }) => name)]))
    return {
      id: lastId++,
      survivor,
      kinds,
      isSync,
      memory: words.name,
      objects: objects as Life['objects'],
    }
  }
  const survivor = (kind: Kind, number: 0 | 1): Worker => {
    const worker = new Worker(fixture('proofs/live-in-a-storm'), {
      workerData: newLife([kind], number === 0, number),
    })
    return worker.on('message', hear).on('error', error => violations.push(String(error)))
  }
  /** Every fourth one is synchronous. */
  const victim = async (): Promise<{ child: ChildProcess; life: Life }> => {
    const life = newLife(only, lastId % 4 === 0)
    const child = start('proofs/live-in-a-storm', JSON.stringify(life))
    children.add(child)
    child.on('message', hear).once('exit', () => children.delete(child))
    await message(child)
    return { child, life }
  }

  /** Counts a killed life at each kind that it was working with. */
  const count = ({ id, isSync }: Life): void => {
    const doing = words.doing(id)
    for (const summary of summaries) {
      const role = roles[doing[kinds.indexOf(summary.kind)] as number] as Role
      if (isSync && role === 'nothing') continue
      summary.killed[role]++
      summary.kills++
    }
  }

  /**
   * Waits until all survivors have completed an operation; the first one to end may have begun
   * before.
   */
  const survive = async (): Promise<void> => {
    const began = performance.now()
    const waiting = new Map(summaries.map(summary => [summary, words.completed(summary.kind).slice()]))
    for (;;) {
      const time = performance.now() - began
      for (const [summary, before] of waiting) {
        if (words.completed(summary.kind).some((now, i) => now < (before[i] as number) + 2)) continue
        waiting.delete(summary)
        summary.longest = Math.max(summary.longest, time)
      }
      if (waiting.size === 0) return
      if (time > HANG || violations.length > 0) break
      await pause(1)
    }
    for (const [{ kind, kills }, before] of waiting) {
      violations.push(
        `${kind}: nothing happens since ${kills} were killed: ${before}, ${words.completed(kind)}`,
      )
    }
  }

  const workers = only.flatMap(kind => [survivor(kind, 0), survivor(kind, 1)])
  const ended = workers.map(worker => new Promise(resolve => worker.once('exit', resolve)))
  try {
    let victims = await Promise.all(Array.from({ length: VICTIMS }, victim))
    const isEnough = () => violations.length > 0 || summaries.every(summary => summary.kills >= kills)
    while (!isEnough()) {
      await pause(Math.random() * 5)
      const dying = victims.slice(0, 1 + below(VICTIMS))
      for (const { child, life } of dying) {
        child.kill('SIGKILL')
        count(life)
      }
      const born = dying.map(victim)
      await survive()
      await Promise.all(dying.map(({ child }) => gone(child)))
      victims = [...victims.slice(dying.length), ...(await Promise.all(born))]
      for (const summary of summaries) {
        summary.operations = words.completed(summary.kind).reduce((sum, count) => sum + count, 0)
      }
      progress(summaries)
    }
    await Promise.all(victims.map(({ child }) => kill(child)))
    if (violations.length === 0) await survive()
    words.end()
    let areGone = false
    void Promise.all(ended).then(() => {
      areGone = true
    })
    while (!areGone && violations.length === 0) {
      for (const [kind, objects] of made) storms[kind].release?.(objects, words.of(kind))
      await pause(1)
    }
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(workers.map(worker => worker.terminate()))
    await Promise.all([...children].map(gone))
  }
  gc()
  for (const [kind, objects] of made) {
    if (!storms[kind].check(objects)) violations.push(`${kind}: the gone processes left something behind`)
    for (const object of objects) object.close()
  }
  words[Symbol.dispose]()
  const left = list().map(({ name }) => name)
  if (left.length > 0) violations.push(`left behind: ${left}`)
  return { summaries, violations }
}

/** A summary as a line. */
export const describe = ({ kind, kills, killed, operations, longest }: Summary): string =>
  `${kind}: ${kills} killed (${killed.holding} holding, ${killed.waiting} waiting, ${killed.waking} waking), ` +
  `${operations} operations of the survivors, at the latest ${longest.toFixed(0)} ms after a death`
