import { type Inspection, inspect, type ObjectInfo } from '../domain.js'
import { agents, bytes, domainOf, groupOf, table } from './format.js'
import type { Report } from './report.js'

export function run(): Report {
  const state = inspect()
  const { domain, objects } = state
  objects.sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    data: { domain, group: groupOf(state), objects },
    text: text(state),
  }
}

function text(state: Inspection): string {
  const { group, objects } = state
  if (objects.length === 0) return `no objects in ${domainOf(state)}`
  return (group ? `${domainOf(state)}\n\n` : '') + listing(objects)
}

function listing(objects: readonly ObjectInfo[]): string {
  const notes = objects.map(note)
  const headings = ['NAME', 'KIND', '>BYTES', 'PERSIST', 'ATTACHED']
  const rows = objects.map(object => [
    object.name,
    object.kind,
    bytes(object.byteLength),
    object.persist ? 'yes' : 'no',
    agents(object.attached),
  ])
  if (notes.every(text => text === '')) return table(headings, rows)
  return table(
    [...headings, 'NOTE'],
    rows.map((row, i) => [...row, notes[i] as string]),
  )
}

/** A note on an object that is doomed or has lost its name; else "". */
export function note({ doomed, present }: ObjectInfo): string {
  if (doomed) return 'doomed: the next sweep removes it'
  return present ? '' : 'name removed by another program'
}
