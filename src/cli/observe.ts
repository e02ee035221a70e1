import { elementsIn } from '../arrays/index.js'
import type { AgentInfo, Inspection, ObjectInfo } from '../domain.js'
import { nativeDomain } from '../native/index.js'
import type { Failure } from './report.js'

/** An agent that holds something of an object. A dead agent whose slot is free has the pid 0. */
export interface HolderInfo extends AgentInfo {
  /** What: `lock`, `permit`, `message to read` and so on. */
  holds: string
  /** How many of these. */
  count: number
}

/** A living agent that waits at an object. */
export interface WaiterInfo extends AgentInfo {
  /** What for: `lock`, `message`, `room` and so on. */
  waitsFor: string
  /** In how many requests for named locks; otherwise 1. */
  count: number
}

/** An agent with a request for a named lock. */
export interface RequestInfo extends AgentInfo {
  mode: 'exclusive' | 'shared'
}

/** A named lock, as `locks.request` makes them. */
export interface NamedLockInfo {
  name: string
  holders: RequestInfo[]
  waiters: RequestInfo[]
}

/** What an onlooker sees of an object, without opening it. */
export interface Observation {
  /** The numbers and flags of its kind; empty for plain bytes. */
  state: Record<string, number | boolean | string>
  holders: HolderInfo[]
  waiters: WaiterInfo[]
  /** Of the table of named locks: those that are held or waited for. Otherwise `null`. */
  locks: NamedLockInfo[] | null
  /** Why it can't be seen. */
  problem: Failure | null
}

/** An object with what is seen of it. */
export type Listed = ObjectInfo & Observation

type Row = ReturnType<typeof nativeDomain.observeObjects>[number]
type Request = NonNullable<Row['requests']>[number]

/** What most of 65,536 objects have: one list for all of them. */
const NONE: never[] = []
Object.freeze(NONE)

/** Looks at objects of a domain. Joins nothing, opens nothing, takes no lock. */
export function observe(inspection: Inspection, objects: readonly ObjectInfo[]): Listed[] {
  if (objects.length === 0) return []
  const { domain, group, bySlot } = inspection
  // Whatever has a name that was removed, it isn't this object: plain bytes aren't looked at.
  const subjects = objects.map(({ name, kind, present }) => ({ name, kind: present ? kind : 'SharedMemory' }))
  const rows = nativeDomain.observeObjects(domain, group && String(group.id), subjects)
  return rows.map((row, i) => listed(row, objects[i] as ObjectInfo, bySlot))
}

function listed(row: Row, object: ObjectInfo, bySlot: Inspection['bySlot']): Listed {
  /** The agent in that slot, if it still is the one that was seen there. */
  const agentIn = (slot: number | undefined, alive: boolean): AgentInfo => {
    const found = slot === undefined ? undefined : bySlot.get(slot)
    return found?.alive === alive ? found : { pid: 0, thread: 0, alive }
  }
  const { name, kind, byteLength, persist, attached, doomed, present } = object
  const { params, number, facts } = row
  // Spelled out: spreading objects of many shapes is slow.
  return {
    name,
    kind,
    byteLength,
    persist,
    attached,
    present,
    doomed,
    state: params ? { ...elementsIn(params, number), ...facts } : facts,
    holders: row.holders?.map(({ slot, alive, ...held }) => ({ ...agentIn(slot, alive), ...held })) ?? NONE,
    waiters: row.waiters?.map(({ slot, ...wait }) => ({ ...agentIn(slot, true), ...wait })) ?? NONE,
    locks: kind === 'LockManager' ? namedLocks(row.requests ?? [], agentIn) : null,
    problem: row.problem ?? null,
  }
}

function namedLocks(
  requests: readonly Request[],
  agentIn: (slot: number | undefined, alive: boolean) => AgentInfo,
): NamedLockInfo[] {
  const byName = new Map<string, NamedLockInfo>()
  for (const { name: bytes, shared, held, slot, alive } of requests) {
    const name = Buffer.from(bytes).toString('utf16le')
    const lock = byName.get(name) ?? { name, holders: [], waiters: [] }
    byName.set(name, lock)
    const request: RequestInfo = { ...agentIn(slot, alive), mode: shared ? 'shared' : 'exclusive' }
    if (held) lock.holders.push(request)
    else lock.waiters.push(request)
  }
  return [...byName.values()]
}
