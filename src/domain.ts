import { type DomainState, domainName, nativeDomain, nativeSegments } from './native/index.js'

/** One Node environment (a main thread or a worker thread) that uses crossmem. */
export interface AgentInfo {
  /** Its process, as that process sees its own id. */
  pid: number
  /** Its worker thread, 0 for the main thread. */
  thread: number
  /** The kernel's word; a dead agent is listed until it is swept. */
  alive: boolean
}

/** One object of the domain. */
export interface ObjectInfo {
  name: string
  /** Name of its class. */
  kind: string
  /** Of its segment, headers included. */
  byteLength: number
  /** Whether it outlives all agents. */
  persist: boolean
  /** Who has it open. */
  attached: AgentInfo[]
  /** Whether the next sweep removes it: nobody living has it open. */
  doomed: boolean
  /** Whether its name still leads to it; other programs can remove it. */
  present: boolean
}

/** What a sweep freed. */
export interface Swept {
  /** Dead agents. */
  agents: number
  /** Objects that nobody living had open. */
  objects: number
  /** Their bytes. */
  bytes: number
}

/** A domain at about one instant. */
export interface Inspection {
  domain: string
  /** File name of the control segment, if the domain has one now. */
  control?: string
  controlBytes: number
  agents: AgentInfo[]
  objects: ObjectInfo[]
  /** Bytes of shared memory there can be, and how many are free. */
  totalBytes: number
  freeBytes: number
  /** Process that holds the registry's lock at this instant; a healthy one holds it for microseconds. */
  registryHeldBy?: number
}

/** An agent that holds something of an object, or waits at a barrier. */
export interface HolderInfo extends AgentInfo {
  /** Locks, permits or places that it has. */
  count: number
}

/** Who holds an open object: its lock, its permits; or waits at it, if it is a barrier. */
export function holdersOf(handle: number): HolderInfo[] {
  const { agents } = nativeDomain.inspectDomain(domainName())
  return nativeSegments.objectHolders(handle).map(({ slot, alive, count }) => {
    const agent = alive ? agents.find(candidate => candidate.slot === slot) : undefined
    return { pid: agent?.pid ?? 0, thread: agent?.thread ?? 0, alive, count }
  })
}

/** Looks at the domain without joining it: takes no lock and sweeps nothing. */
export function inspect(domain = domainName()): Inspection {
  const state = nativeDomain.inspectDomain(domain)
  return {
    ...state,
    domain,
    agents: state.agents.map(({ pid, thread, alive }) => ({ pid, thread, alive })),
    objects: state.objects.map(object => ({ ...object, attached: agentsOf(state, object.attached) })),
  }
}

/**
 * The objects of this domain.
 *
 * @throws {CrossmemError} ERR_CORRUPT, ERR_PERMISSION
 */
export function list(): ObjectInfo[] {
  return inspect().objects
}

/**
 * Sweeps now what dead agents left: it would happen anyway when the next agent registers. The first call of an agent
 * counts what it swept when it registered, too.
 *
 * @throws {CrossmemError} ERR_TIMEOUT when a stopped process holds the registry
 */
export function gc(): Swept {
  return nativeDomain.collectGarbage()
}

function agentsOf(state: DomainState, slots: number[]): AgentInfo[] {
  return slots.flatMap(slot => {
    const agent = state.agents.find(candidate => candidate.slot === slot)
    return agent ? [{ pid: agent.pid, thread: agent.thread, alive: agent.alive }] : []
  })
}
