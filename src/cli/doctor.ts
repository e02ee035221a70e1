import { setTimeout as pause } from 'node:timers/promises'
import { type Inspection, inspect, type ObjectInfo, obstacle } from '../domain.js'
import { domainName } from '../native/index.js'
import { circles } from './circles.js'
import {
  agent,
  bytes,
  type Column,
  count,
  fields,
  groupName,
  groupOf,
  nameList,
  names,
  table,
  visible,
  wrap,
} from './format.js'
import { bytesOf, leftovers } from './leftovers.js'
import type { Options, Report } from './report.js'

/**
 * How often the registry must be found held by the same process before it counts as stuck, and the
 * pause in milliseconds.
 */
const CHECKS = 20
const PAUSE = 5

/** Something to do; `code` is stable. */
interface Problem {
  code: 'NAME_REMOVED' | 'REGISTRY_STUCK' | 'MEMORY_FULL' | 'UNUSABLE'
  message: string
}

/** Something to know, about which nothing need be done; `code` is stable. */
interface Note {
  code: 'LEFTOVERS' | 'CIRCLE'
  message: string
}

// It doesn't join the domain: it must work if the registry is stuck or memory is full, and must not
// sweep what it shows.
export async function run(_: readonly string[], { columns }: Options): Promise<Report> {
  const state = inspectIfPossible()
  const full = fullMemory(state)
  const problems = [
    ...(full.length > 0 ? [] : unusable()),
    ...(await stuckRegistry(state)),
    ...namesRemoved(state),
    ...full,
  ]
  const notes = [...leftOver(state), ...(await lastingCircles(state))]
  const { agents, objects } = leftovers(state)
  return {
    data: {
      domain: state.domain,
      group: groupOf(state),
      control: state.control === undefined ? null : { name: state.control, byteLength: state.controlBytes },
      taken: state.taken,
      registryHeldBy: state.registryHeldBy ?? null,
      totalBytes: state.totalBytes,
      freeBytes: state.freeBytes,
      memory: state.memory ?? null,
      hugePages: state.hugePages ? { system: null, ...state.hugePages } : null,
      agents: state.agents,
      objects: state.objects,
      sweepable: { agents: agents.length, objects: objects.length, bytes: bytesOf(objects) },
      problems,
      notes,
      clean: problems.length === 0,
    },
    text: [summary(state, columns), attachments(state, columns), verdict(problems, notes, columns)]
      .filter(Boolean)
      .join('\n\n'),
    isBadNews: problems.length > 0,
  }
}

function summary(state: Inspection & { isUnreadable?: boolean }, room: number | undefined): string {
  const dead = state.agents.filter(({ alive }) => !alive).length
  const isUsed = state.control !== undefined
  const facts = {
    domain: state.domain,
    group: state.group && groupName(state.group),
    control: isUsed
      ? `${state.control}, ${bytes(state.controlBytes)}`
      : state.isUnreadable
        ? "can't be opened"
        : 'none: no process uses this domain now',
    taken: state.taken.map(({ path, owner }) => `${path}, by user ${owner}`).join('; ') || undefined,
    registry: isUsed ? (state.registryHeldBy ? `held by ${state.registryHeldBy} now` : 'free') : undefined,
    agents: isUsed ? `${state.agents.length - dead} alive, ${dead} dead` : undefined,
    objects: isUsed ? `${state.objects.length} with ${bytes(bytesOf(state.objects))}` : undefined,
    [process.platform === 'linux' ? process.env.CROSSMEM_DIR || '/dev/shm' : 'memory']: state.isUnreadable
      ? undefined
      : `${bytes(state.freeBytes)} free of ${bytes(state.totalBytes)}`,
    'its memory': memory(state),
    'huge pages': hugePages(state),
  }
  return fields(facts, room)
}

/** The memory that shared memory is made of, and what limits it. */
function memory({ memory }: Inspection): string | undefined {
  if (!memory) return undefined
  const { freeBytes, totalBytes, cgroup = 'the machine' } = memory
  return `${bytes(freeBytes)} free of ${bytes(totalBytes)} (${cgroup})`
}

/** What the mount of shared memory says, unless the system overrules it. */
function hugePages({ hugePages }: Inspection): string | undefined {
  if (!hugePages) return undefined
  const { mount, system } = hugePages
  if (system === 'deny' || system === 'force') {
    return `${system === 'force' ? 'for all objects' : 'none'} (shmem_enabled is ${system})`
  }
  const which = { never: 'none', advise: 'for objects with hugePages: true' }[mount] ?? 'for all objects'
  return `${which} (huge=${mount})`
}

/** If the system lets nothing be opened, that is the finding, and there is nothing else to see. */
function inspectIfPossible(): Inspection & { isUnreadable?: boolean } {
  try {
    return inspect()
  } catch (error) {
    if (!obstacle()) throw error
    const nothing = { controlBytes: 0, taken: [], agents: [], bySlot: new Map(), objects: [] }
    return { domain: domainName(), ...nothing, totalBytes: 0, freeBytes: 0, isUnreadable: true }
  }
}

/** Which agent has which objects open. */
function attachments({ agents, objects }: Inspection, room: number | undefined): string {
  if (agents.length === 0) return ''
  const sorted = [...agents].sort((a, b) => a.pid - b.pid || a.thread - b.thread)
  const openBy = new Map<string, ObjectInfo[]>(sorted.map(one => [agent(one), []]))
  for (const object of objects) {
    for (const name of new Set(object.attached.map(agent))) openBy.get(name)?.push(object)
  }
  const rows = [...openBy].map(([name, open]) => [
    name,
    String(open.length),
    bytes(bytesOf(open)),
    nameList(open.map(({ name }) => name)),
  ])
  return table(COLUMNS, rows, room).join('\n')
}

const COLUMNS: readonly Column[] = [
  { heading: 'AGENT' },
  { heading: 'OBJECTS', isRight: true },
  { heading: 'BYTES', isRight: true },
  { heading: 'ATTACHED TO', isList: true },
]

/** The last line is "clean", or what to do. */
function verdict(problems: readonly Problem[], notes: readonly Note[], room: number | undefined): string {
  const lines = notes.map(({ message }) => `note: ${message}`)
  const todo = problems.map(({ message }) => `to do: ${message}`)
  const all = [...lines, ...(todo.length > 0 ? todo : ['clean'])]
  return all.map(line => wrap(visible(line), room)).join('\n')
}

function leftOver(state: Inspection): Note[] {
  const { agents, objects } = leftovers(state)
  const found = [
    ...(agents.length > 0 ? [count(agents.length, 'dead agent')] : []),
    ...(objects.length > 0 ? [`${count(objects.length, 'object')} with ${bytes(bytesOf(objects))}`] : []),
  ]
  if (found.length === 0) return []
  const which = objects.length > 0 ? ` (${names(objects.map(({ name }) => name))})` : ''
  const message = `the next process that joins sweeps ${found.join(' and ')}${which}; to do it now: ${command('gc', state)}`
  return [{ code: 'LEFTOVERS', message }]
}

function namesRemoved(state: Inspection): Problem[] {
  const lost = state.objects.filter(({ present, doomed }) => !present && !doomed)
  return lost.map(({ name, attached }) => {
    const users = attached.filter(({ alive }) => alive).map(agent)
    const cure = users.length > 0 ? `close it in ${names(users)}` : `remove it: ${command('rm NAME', state)}`
    const message = `another program removed the name "${name}", and no process can open it any more: ${cure}`
    return { code: 'NAME_REMOVED', message }
  })
}

const command = (words: string, { domain, group }: Inspection): string =>
  [
    `crossmem ${words}`,
    ...(domain === 'default' ? [] : [`--domain ${domain}`]),
    ...(group ? [`--group ${group.name ?? group.id}`] : []),
  ].join(' ')

/**
 * Circles of waits that a second look finds again. An agent whose event loop waits may leave a
 * circle by itself: by a timeout, or by other work that releases what it holds.
 */
async function lastingCircles(state: Inspection): Promise<Note[]> {
  const first = circles(state)
  if (first.length === 0) return []
  await pause(CHECKS * PAUSE)
  const again = new Set(circles(inspect()))
  const lasting = first.filter(circle => again.has(circle))
  return lasting.map(circle => ({
    code: 'CIRCLE',
    message: `these wait for each other: ${circle}; if none has a timeout, end one of them`,
  }))
}

/**
 * A healthy process holds the registry for microseconds. If the same one is found each time, it is
 * stopped.
 */
async function stuckRegistry({ registryHeldBy: holder }: Inspection): Promise<Problem[]> {
  if (holder === undefined) return []
  for (let check = 0; check < CHECKS; check++) {
    await pause(PAUSE)
    if (inspect().registryHeldBy !== holder) return []
  }
  return [
    {
      code: 'REGISTRY_STUCK',
      message: `process ${holder} holds the registry and doesn't run (stopped, or in a debugger?); continue it or kill it`,
    },
  ]
}

/** Whether the system lets no object be made, for another reason than that memory is full. */
function unusable(): Problem[] {
  const error = obstacle()
  return error ? [{ code: 'UNUSABLE', message: `${error.message} (${error.code})` }] : []
}

function fullMemory({ freeBytes, totalBytes, memory }: Inspection): Problem[] {
  const isFull = (free: number, total: number) => free <= total / 100 && total > 0
  const problems: Problem[] = []
  if (isFull(freeBytes, totalBytes)) {
    problems.push({
      code: 'MEMORY_FULL',
      message: `shared memory is full: ${bytes(freeBytes)} free of ${bytes(totalBytes)}; remove objects, or make it larger (in a container: --shm-size)`,
    })
  }
  if (memory && isFull(memory.freeBytes, memory.totalBytes)) {
    const [whose, cure] = memory.cgroup
      ? [`the limit in ${memory.cgroup}`, 'raise the limit (in a container: docker run -m)']
      : ['the machine', 'end programs']
    const room = `${bytes(memory.freeBytes)} free of ${bytes(memory.totalBytes)}`
    problems.push({
      code: 'MEMORY_FULL',
      message: `${whose} has no memory left: ${room}; remove objects, or ${cure}`,
    })
  }
  return problems
}
