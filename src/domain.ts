import type { CrossmemError } from './errors.js'
import { type DomainState, domainGroup, domainName, nativeDomain } from './native/index.js'

/** An agent: one Node environment (a main thread or a worker thread) that uses crossmem. */
export interface AgentInfo {
  /** The id of its process, as that process sees it. */
  pid: number
  /** The id of its worker thread; 0 for the main thread. */
  thread: number
  /** Whether the kernel says that it lives. A dead agent is listed until it is swept. */
  alive: boolean
}

/** One object of the domain. */
export interface ObjectInfo {
  /** Its name in the domain. */
  name: string
  /** The name of its class. */
  kind: string
  /**
   * The length of its segment in bytes, headers included; of a queue, with the memory of its
   * messages over `messageBytes`.
   */
  byteLength: number
  /** Whether it stays when no living process has it open. */
  persist: boolean
  /** The agents that have it open. */
  attached: AgentInfo[]
  /** Whether the next sweep removes it, since no living agent has it open. */
  doomed: boolean
  /** Whether its name still leads to it. Another program can have removed the name. */
  present: boolean
}

/** The result of a sweep. */
export interface Swept {
  /** How many dead agents were forgotten. */
  agents: number
  /** How many objects were removed, since no living agent had them open. */
  objects: number
  /** The length of these objects in bytes. */
  bytes: number
}

/** A domain at about one instant. */
export interface Inspection {
  domain: string
  /** The group whose members share it, if it is not this user's own. */
  group?: { id: number; name?: string }
  /** The file name of the control segment, if the domain has one now. */
  control?: string
  controlBytes: number
  /** The names of the control segment that lead to a file of another user, so the next is used. */
  taken: { path: string; owner: number }[]
  agents: AgentInfo[]
  /** The agents by their slots in the domain. */
  bySlot: ReadonlyMap<number, AgentInfo>
  /** Sorted by name. */
  objects: ObjectInfo[]
  /** The size of shared memory in bytes, and the free part of it. */
  totalBytes: number
  freeBytes: number
  /**
   * The memory that this process may still use, if the system tells: by the cgroup's limit that
   * leaves the least, whose file is `cgroup`, or by the machine.
   */
  memory?: { cgroup?: string; totalBytes: number; freeBytes: number }
  /**
   * Whether shared memory is made of huge pages, if the system tells: the option `huge=` of its
   * mount, and the system's `shmem_enabled`.
   */
  hugePages?: { mount: string; system?: string }
  /**
   * The process that holds the registry's lock at this instant. A healthy process holds it for
   * microseconds.
   */
  registryHeldBy?: number
}

/** Describes the domain without joining it: takes no lock and sweeps nothing. */
export function inspect(domain = domainName(), group = domainGroup()): Inspection {
  const state = nativeDomain.inspectDomain(domain, group)
  const bySlot = agentsOf(state)
  const attachedTo = (slots: number[]): AgentInfo[] => slots.flatMap(slot => bySlot.get(slot) ?? [])
  return {
    ...state,
    domain,
    bySlot,
    agents: [...bySlot.values()],
    objects: state.objects.map(object => ({ ...object, attached: attachedTo(object.attached) })),
  }
}

/** A domain that some process uses, or that killed processes left. */
export interface FoundDomain {
  name: string
  group?: { id: number; name?: string }
  /** The version of its layout: a version of crossmem with another one can't look into it. */
  layout: number
  /** Whether this version can look into it. */
  readable: boolean
}

/** The domains of this user, and those of the user's groups. */
export const domains = (): FoundDomain[] => nativeDomain.findDomains()

/**
 * Sweeps a domain as `gc` does, with an agent that joins it and leaves it within this call.
 *
 * @throws {CrossmemError} as `gc`
 */
export const sweep = ({ domain, group }: Inspection): Swept =>
  nativeDomain.sweepDomain(domain, group && String(group.id))

/** Why no object can be made in this domain now; `undefined` if one can. */
export function obstacle(): CrossmemError | undefined {
  try {
    nativeDomain.rehearseCreate(domainName(), domainGroup())
    return undefined
  } catch (error) {
    return error as CrossmemError
  }
}

/**
 * Lists the objects of this domain, sorted by name, those that only dead agents have open included.
 *
 * @throws {CrossmemError} ERR_CORRUPT, ERR_PERMISSION
 */
export function list(): ObjectInfo[] {
  return inspect().objects
}

/**
 * Removes what dead agents left. The same happens whenever an agent joins the domain. The first
 * call of an agent also counts what was removed when that agent joined.
 *
 * @throws {CrossmemError} ERR_TIMEOUT: a stopped process holds the registry. ERR_CORRUPT,
 *   ERR_PERMISSION
 */
export function gc(): Swept {
  return nativeDomain.collectGarbage()
}

function agentsOf({ agents }: DomainState): Map<number, AgentInfo> {
  return new Map(agents.map(({ slot, pid, thread, alive }) => [slot, { pid, thread, alive }]))
}
