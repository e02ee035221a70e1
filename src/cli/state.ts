import type { ObjectInfo } from '../domain.js'
import { bytes, type Cell, count, userGroup } from './format.js'
import type { Observation } from './observe.js'

type State = Observation['state']

/** A semaphore has so many permits at most if its maker set no `max`. */
const UNLIMITED = 2 ** 31 - 1

/** The state of an object in some words: "3 of 100", "held"; "" if its kind has none. */
export function stateOf(
  { kind }: Pick<ObjectInfo, 'kind'>,
  { state, holders, locks, problem }: Observation,
): string {
  if (problem) return problem.code
  const held = inside(holders).length === 0 ? 'free' : 'held'
  const words = wordsOf(kind, state, held) ?? (kind === 'LockManager' ? namedLocks(locks ?? []) : '')
  return words + ownerDied(state)
}

/** The same with the holders of a lock: "held by 4711", "doomed, held by 4711 (dead)". */
export function stateCell(object: ObjectInfo & Observation): Cell {
  const words = stateOf(object, object)
  const end = ownerDied(object.state)
  const fate = object.doomed ? ['doomed'] : object.present ? [] : ['name removed']
  if (words !== `held${end}`) return [...fate, words].filter(Boolean).join(', ') || '-'
  const before = [...fate, 'held by '].join(', ')
  return { groups: [userGroup(inside(object.holders), { before })], end }
}

/** An agent at the gate of an RwLock waits for its readers. */
const inside = (holders: Observation['holders']): Observation['holders'] =>
  holders.filter(({ holds }) => holds !== 'gate')

const ownerDied = ({ ownerDied }: State): string => (ownerDied === true ? ', owner died' : '')

function wordsOf(kind: string, state: State, held: string): string | undefined {
  switch (kind) {
    case 'Mutex':
    case 'RLock':
    case 'RwLock':
    case 'Condition':
      return held
    case 'Semaphore':
      return Number(state.max) >= UNLIMITED
        ? `${state.permits} free`
        : `${state.permits} of ${state.max} free`
    case 'Event':
      return state.isSet ? 'set' : 'not set'
    case 'Barrier':
      return state.isBroken ? 'broken' : `${state.waiting} of ${state.parties} there`
    case 'Value':
      return `${state.value}`
    case 'SharedArray':
      return `${state.length} ${state.dtype}`
    case 'NDArray':
      return state.isHalfChanged ? 'half-changed' : held === 'free' ? '' : held
    case 'SpscQueue':
      return fill(state.usedBytes, state.byteCapacity) + ended(state.isEnded)
    case 'Pipe':
      return `${fill(state.usedBytesTo0, state.byteCapacityTo0)}${
        state.byteCapacityTo1 ? `, ${fill(state.usedBytesTo1, state.byteCapacityTo1)}` : ''
      }${ended(state.isClosed0 || state.isClosed1)}`
    case 'MpmcQueue':
    case 'Queue':
    case 'RecordQueue':
    case 'Pool':
      return `${state.size} of ${state.capacity}${ended(state.isEnded)}`
    case 'SharedMap': {
      const most = state.maxBytes ? `, ${bytes(Number(state.maxBytes))} at most` : ''
      return `${state.size === 1 ? '1 entry' : `${state.size} entries`}${most}`
    }
    case 'JoinableQueue':
      return `${state.size} of ${state.capacity}, ${state.unfinished} unfinished${ended(state.isEnded)}`
    default:
      return undefined
  }
}

const fill = (used: State[string] | undefined, room: State[string] | undefined): string =>
  `${bytes(Number(used))} of ${bytes(Number(room))}`

const ended = (isEnded: State[string] | undefined): string => (isEnded ? ', ended' : '')

function namedLocks(locks: NonNullable<Observation['locks']>): string {
  const waiting = locks.reduce((sum, { waiters }) => sum + waiters.length, 0)
  return `${count(locks.length, 'lock')}${waiting === 0 ? '' : `, ${waiting} waiting`}`
}

/** What counts up in the state of a kind, and the unit of its rate. */
const COUNTERS: Record<string, [fact: string, unit: string, wraps: number]> = {
  Queue: ['puts', 'msg/s', 0],
  MpmcQueue: ['puts', 'msg/s', 0],
  JoinableQueue: ['puts', 'msg/s', 0],
  Pool: ['puts', 'msg/s', 0],
  SpscQueue: ['poppedBytes', 'B/s', 2 ** 35],
  Pipe: ['poppedBytes', 'B/s', 2 ** 35],
  Event: ['timesSet', 'sets/s', 2 ** 31],
  Barrier: ['meetings', 'meetings/s', 0],
  LockManager: ['requests', 'requests/s', 0],
  NDArray: ['updates', 'updates/s', 0],
}

/** How often a second something happens at an object. */
export interface Rate {
  perSecond: number
  unit: string
}

/**
 * The rate between two looks at one object; `null` if its kind counts nothing. Locks don't: a
 * counter would be one more atomic operation for each taking.
 */
export function rateOf(kind: string, before: State | undefined, now: State, seconds: number): Rate | null {
  const [fact, unit, wraps] = COUNTERS[kind] ?? []
  if (fact === undefined || unit === undefined || before === undefined || seconds <= 0) return null
  const [from, to] = [before[fact], now[fact]]
  if (typeof from !== 'number' || typeof to !== 'number') return null
  const change = to >= from ? to - from : to - from + (wraps ?? 0)
  return { perSecond: Math.max(change, 0) / seconds, unit }
}
