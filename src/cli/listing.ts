import { agentList, bytes, type Column, type List, table, userGroup } from './format.js'
import type { Listed, Observation } from './observe.js'
import { stateCell } from './state.js'

const COLUMNS: readonly Column[] = [
  { heading: 'NAME', isCut: true },
  { heading: 'KIND' },
  { heading: 'BYTES', isRight: true },
  { heading: 'STATE', isCut: true },
  { heading: 'WAITING', isList: true },
  { heading: 'ATTACHED', isList: true },
]

/** A table of objects. */
export function listing(objects: readonly Listed[], room: number | undefined): string {
  const rows = objects.map(object => [
    object.name,
    object.kind,
    bytes(object.byteLength),
    stateCell(object),
    waiting(object),
    object.attached.length === 0 && object.persist ? 'persists' : agentList(object.attached),
  ])
  return table(COLUMNS, rows, room).join('\n')
}

/** "4711 for room": who waits at an object, and what for. */
export function waiting({ waiters }: Observation): List | '-' {
  if (waiters.length === 0) return '-'
  const aims = [...new Set(waiters.map(({ waitsFor }) => waitsFor))]
  const group = (aim: string) =>
    userGroup(
      waiters.filter(({ waitsFor }) => waitsFor === aim),
      { after: ` for ${aim}` },
    )
  return { groups: aims.map(group) }
}
