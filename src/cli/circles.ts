import type { AgentInfo, Inspection } from '../domain.js'
import { agent } from './format.js'
import { observe } from './observe.js'

/** The kinds that one agent can keep from another for as long as it likes. */
const LOCKS = new Set([
  'Mutex',
  'RLock',
  'RwLock',
  'Condition',
  'Value',
  'SharedArray',
  'NDArray',
  'LockManager',
])

/** An agent waits at an object, or for a named lock, that another agent holds. */
interface Edge {
  waiter: string
  object: string
  holder: string
}

/**
 * The circles in which each agent waits for what the next one holds, as text: `4711 waits for "a"
 * of 4712; 4712 waits for "b" of 4711`. Circles that share an agent count as one.
 */
export function circles(state: Inspection): string[] {
  const edges = new Map<string, Edge[]>()
  for (const edge of edgesIn(state)) edges.set(edge.waiter, [...(edges.get(edge.waiter) ?? []), edge])
  const seen = new Set<string>()
  const found: string[] = []
  for (const start of edges.keys()) {
    const circle = seen.has(start) ? undefined : circleFrom(start, edges, seen)
    if (circle) {
      found.push(circle.map(edge => `${edge.waiter} waits for "${edge.object}" of ${edge.holder}`).join('; '))
    }
  }
  return found
}

function edgesIn(state: Inspection): Edge[] {
  const locks = state.objects.filter(({ kind, attached }) => LOCKS.has(kind) && isShared(attached))
  const seen = observe(state, locks)
  return seen.flatMap(({ name, holders, waiters, locks: named }) => {
    if (named) return named.flatMap(lock => between(lock.name, lock.waiters, lock.holders))
    const waiting = waiters.filter(({ waitsFor }) => waitsFor === 'lock' || waitsFor === 'last reader')
    return between(name, waiting, holders)
  })
}

/**
 * Processes that wait for an object, or hold it, have it open. Most objects of a large domain
 * needn't be read.
 */
const isShared = (attached: readonly AgentInfo[]): boolean => attached.filter(({ alive }) => alive).length > 1

/** A reader that wants to write is among the holders, too: that is no circle. */
function between(object: string, waiters: readonly AgentInfo[], holders: readonly AgentInfo[]): Edge[] {
  return waiters.flatMap(waiter =>
    holders
      .filter(holder => holder.alive && agent(holder) !== agent(waiter))
      .map(holder => ({ waiter: agent(waiter), object, holder: agent(holder) })),
  )
}

/** Follows the edges from an agent, each agent once in all, until it comes to one on the way. */
function circleFrom(
  start: string,
  edges: ReadonlyMap<string, Edge[]>,
  seen: Set<string>,
): Edge[] | undefined {
  const way: Edge[] = []
  const pending: { at: string; depth: number; by?: Edge }[] = [{ at: start, depth: 0 }]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { at, depth, by } = next
    way.length = Math.max(0, depth - 1)
    if (by) way.push(by)
    const begin = way.findIndex(edge => edge.waiter === at)
    if (begin >= 0) return way.slice(begin)
    if (seen.has(at)) continue
    seen.add(at)
    for (const edge of edges.get(at) ?? []) pending.push({ at: edge.holder, depth: depth + 1, by: edge })
  }
  return undefined
}
