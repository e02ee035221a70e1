import { gc, inspect } from '../domain.js'
import { bytes, count, names } from './format.js'
import { bytesOf, leftovers } from './leftovers.js'
import type { Report } from './report.js'

export function run(): Report {
  const { domain, control, ...before } = inspect()
  if (control === undefined) return report(domain, { agents: 0, objects: 0, bytes: 0, names: [] })
  // Joining the domain sweeps already, so what gc() itself finds is only what died since.
  const late = gc()
  const after = inspect()
  const was = leftovers({ domain, ...before })
  const objects = was.objects.filter(
    ({ name }) => !after.objects.some(left => left.doomed && left.name === name),
  )
  const agents = was.agents.filter(
    ({ pid, thread }) =>
      !after.agents.some(left => !left.alive && left.pid === pid && left.thread === thread),
  )
  return report(domain, {
    agents: agents.length + late.agents,
    objects: objects.length + late.objects,
    bytes: bytesOf(objects) + late.bytes,
    names: objects.map(object => object.name).sort(),
  })
}

interface Freed {
  agents: number
  objects: number
  bytes: number
  /** Of the objects that were seen before, sorted. */
  names: string[]
}

function report(domain: string, freed: Freed): Report {
  const { agents, objects } = freed
  const which = freed.names.length > 0 ? `: ${names(freed.names)}` : ''
  return {
    data: { domain, ...freed },
    text:
      agents + objects === 0
        ? `nothing to sweep in domain "${domain}"`
        : `freed ${count(agents, 'dead agent')}, ${count(objects, 'object')} with ${bytes(freed.bytes)}${which}`,
  }
}
