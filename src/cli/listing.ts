import type { ObjectInfo } from '../domain.js'
import { agents, bytes, type Column, table, users } from './format.js'
import type { Observation } from './observe.js'
import { stateOf } from './state.js'

/** An object with what is seen of it. */
export type Listed = ObjectInfo & Observation

const COLUMNS: readonly Column[] = [
  { heading: 'NAME', isCut: true },
  { heading: 'KIND' },
  { heading: 'BYTES', isRight: true },
  { heading: 'STATE', isCut: true },
  { heading: 'WAITING', isCut: true },
  { heading: 'ATTACHED', isCut: true },
]

/** A table of objects, with a column of notes if there are any. */
export function listing(objects: readonly Listed[], room: number | undefined): string {
  const notes = objects.map(note)
  const hasNotes = notes.some(text => text !== '')
  const columns = hasNotes ? [...COLUMNS, { heading: 'NOTE', isCut: true }] : COLUMNS
  const rows = objects.map((object, i) => [
    object.name,
    object.kind,
    bytes(object.byteLength),
    stateOf(object, object) || '-',
    waiting(object),
    object.attached.length === 0 && object.persist ? 'persists' : agents(object.attached),
    notes[i] as string,
  ])
  return table(columns, rows, room).join('\n')
}

/** "4711 for room": who waits at an object, and what for. */
export function waiting({ waiters }: Observation): string {
  const aims = [...new Set(waiters.map(({ waitsFor }) => waitsFor))]
  const parts = aims.map(aim => `${users(waiters.filter(({ waitsFor }) => waitsFor === aim))} for ${aim}`)
  return parts.join('; ') || '-'
}

/** A note on an object that is doomed or has lost its name; else "". */
export function note({ doomed, present }: ObjectInfo): string {
  if (doomed) return 'doomed: the next sweep removes it'
  return present ? '' : 'name removed by another program'
}
