import { domains, type Inspection, inspect, type Swept, sweep } from '../domain.js'
import { bytes, count, domainOf, groupOf, names } from './format.js'
import { leftovers } from './leftovers.js'
import { type Failure, failureOf, type Options, type Report } from './report.js'

interface Freed extends Swept {
  domain: string
  group: ReturnType<typeof groupOf>
  names: string[]
}

export function run(_: readonly string[], { all }: Options): Report {
  if (all) return everyDomain()
  const state = inspect()
  const freed = freeIn(state)
  return { data: freed, text: told(freed, domainOf(state)) }
}

/** Sweeps the domains of the user and of the user's groups, whatever becomes of single ones. */
function everyDomain(): Report {
  const swept: Freed[] = []
  const lines: string[] = []
  const failures: Failure[] = []
  for (const { name, group } of domains().filter(({ readable }) => readable)) {
    try {
      const state = inspect(name, group && String(group.id))
      const freed = freeIn(state)
      swept.push(freed)
      if (freed.agents + freed.objects > 0) lines.push(`${domainOf(state)}: ${told(freed, '')}`)
    } catch (error) {
      failures.push(failureOf(error))
    }
  }
  const text = lines.join('\n') || `nothing to sweep in ${count(swept.length, 'domain')}`
  return { data: { domains: swept }, text, failures }
}

function freeIn(before: Inspection): Freed {
  const { domain } = before
  const nothing = { domain, group: groupOf(before), agents: 0, objects: 0, bytes: 0, names: [] }
  // Without a control segment there is nothing to sweep, and no domain to join.
  if (before.control === undefined) return nothing
  const freed = sweep(before)
  const { objects } = inspect(domain, before.group && String(before.group.id))
  const left = new Set(objects.map(({ name }) => name))
  // The table of named locks goes with the last agent, without being counted.
  const seen = leftovers(before).objects.filter(({ name, kind }) => kind !== 'LockManager' && !left.has(name))
  return { ...nothing, ...freed, names: seen.map(({ name }) => name).sort() }
}

function told({ agents, objects, bytes: length, names: list }: Freed, where: string): string {
  if (agents + objects === 0) return `nothing to sweep in ${where}`
  const which = list.length > 0 ? `: ${names(list)}` : ''
  return `freed ${count(agents, 'dead agent')}, ${count(objects, 'object')} with ${bytes(length)}${which}`
}
