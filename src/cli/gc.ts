import { gc, inspect } from '../domain.js'
import { bytes, count, domainOf, groupOf, names } from './format.js'
import { leftovers } from './leftovers.js'
import type { Report } from './report.js'

export function run(): Report {
  const before = inspect()
  const { domain } = before
  // Without a control segment there is nothing to sweep, and no domain to join.
  const freed = before.control === undefined ? { agents: 0, objects: 0, bytes: 0 } : gc()
  const seen = leftovers(before).objects.map(object => object.name)
  const which = seen.length > 0 ? `: ${names(seen.sort())}` : ''
  return {
    data: { domain, group: groupOf(before), ...freed, names: seen },
    text:
      freed.agents + freed.objects === 0
        ? `nothing to sweep in ${domainOf(before)}`
        : `freed ${count(freed.agents, 'dead agent')}, ${count(freed.objects, 'object')} with ${bytes(freed.bytes)}${which}`,
  }
}
