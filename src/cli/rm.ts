import { inspect } from '../domain.js'
import { nativeSegments } from '../native/index.js'
import { checkName } from '../objects/index.js'
import { groupOf, visible } from './format.js'
import { type Failure, failureOf, type Report } from './report.js'

export function run(names: readonly string[]): Report {
  const state = inspect()
  const { domain, objects } = state
  // Joining the domain sweeps doomed objects before they can be removed by name. They count as
  // removed, too.
  const known = new Set(objects.map(object => object.name))
  const removed: string[] = []
  const failed: ({ name: string } & Failure)[] = []
  for (const name of names) {
    try {
      checkName(name)
      if (nativeSegments.unlinkByName(name) || known.has(name)) removed.push(name)
      else failed.push({ name, ...notFound(name) })
    } catch (error) {
      failed.push({ name, ...failureOf(error) })
    }
  }
  return {
    data: { domain, group: groupOf(state), removed, failed },
    text: removed.map(name => `removed ${visible(name)}`).join('\n'),
    failures: failed,
  }
}

const notFound = (name: string): Failure => ({
  code: 'ERR_NOT_FOUND',
  message: `nothing is called "${name}"; see: crossmem ls`,
})
