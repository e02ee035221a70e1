import { domains, type FoundDomain, type Inspection, inspect } from '../domain.js'
import { bytes, type Column, domainOf, groupName, groupOf, table } from './format.js'
import { bytesOf } from './leftovers.js'
import { listing } from './listing.js'
import { type Listed, observe } from './observe.js'
import type { Options, Report } from './report.js'

export function run(_: readonly string[], { all, columns }: Options): Report {
  return all ? allDomains(columns) : oneDomain(columns)
}

function oneDomain(columns: number | undefined): Report {
  const state = inspect()
  const objects = observe(state, state.objects)
  return {
    data: { domain: state.domain, group: groupOf(state), objects },
    text: text(state, objects, columns),
  }
}

function text(state: Inspection, objects: readonly Listed[], columns: number | undefined): string {
  if (objects.length === 0) return `no objects in ${domainOf(state)}`
  return (state.group ? `${domainOf(state)}\n\n` : '') + listing(objects, columns)
}

const COLUMNS: readonly Column[] = [
  { heading: 'DOMAIN', isCut: true },
  { heading: 'GROUP', isCut: true },
  { heading: 'AGENTS', isRight: true },
  { heading: 'DEAD', isRight: true },
  { heading: 'OBJECTS', isRight: true },
  { heading: 'BYTES', isRight: true },
  { heading: 'NOTE', isCut: true },
]

interface DomainSummary {
  domain: string
  group: { id: number; name: string | null } | null
  layout: number
  readable: boolean
  agents: number | null
  dead: number | null
  objects: number | null
  bytes: number | null
}

/** All domains of the user and of the user's groups. */
function allDomains(columns: number | undefined): Report {
  const found = domains().map(summary)
  const rows = found.map(({ domain, group, layout, readable, agents, dead, objects, bytes: total }) => [
    domain,
    group ? groupName(group) : '-',
    ...[agents, dead, objects].map(number => String(number ?? '-')),
    total === null ? '-' : bytes(total),
    readable ? '' : `layout ${layout}: of another version of crossmem`,
  ])
  return {
    data: { domains: found },
    text: found.length === 0 ? 'no domains' : table(COLUMNS, rows, columns).join('\n'),
  }
}

function summary({ name, group, layout, readable }: FoundDomain): DomainSummary {
  const of = { domain: name, group: groupOf({ group }), layout, readable }
  if (!readable) return { ...of, agents: null, dead: null, objects: null, bytes: null }
  const { agents, objects } = inspect(name, group && String(group.id))
  const dead = agents.filter(({ alive }) => !alive).length
  return { ...of, agents: agents.length - dead, dead, objects: objects.length, bytes: bytesOf(objects) }
}
