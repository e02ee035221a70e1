import { inspect } from '../domain.js'
import { bytes, type Cell, type Column, count, cut, domainOf, groupOf, type List, table } from './format.js'
import { holders } from './inspect.js'
import { waiting } from './listing.js'
import { type Listed, observe } from './observe.js'
import type { Options, Report } from './report.js'
import { type Screen, show } from './screen.js'
import { type Rate, rateOf, stateOf } from './state.js'

/** An object at a look, compared with the look before. */
interface Watched {
  object: Listed
  rate: Rate | null
  /**
   * For how many seconds each look has found the same holders, and the same waiters. In between,
   * they may have let go and come again. `null`: there are none.
   */
  heldFor: number | null
  waitingFor: number | null
}

interface Look {
  at: number
  objects: Map<string, Listed>
  /** Since when the holders or waiters of an object have been the same, by object and list. */
  since: Map<string, number>
}

const COLUMNS: readonly Column[] = [
  { heading: 'NAME', isCut: true },
  { heading: 'KIND' },
  { heading: 'STATE', isCut: true },
  { heading: 'RATE', isRight: true },
  { heading: 'HELD', isList: true },
  { heading: 'WAITING', isList: true },
]

/** Redraws until it is told to quit. Without a terminal, or with `once`, prints one table. */
export async function run(_: readonly string[], options: Options): Promise<Report | undefined> {
  const isLive = !options.once && !options.json && options.columns !== undefined && process.stdin.isTTY
  if (!isLive) {
    const first = look(undefined)
    await new Promise(resolve => setTimeout(resolve, options.interval * 1000))
    const { watched, state } = look(first.look)
    return {
      data: {
        domain: state.domain,
        group: groupOf(state),
        seconds: options.interval,
        objects: watched.map(({ object, ...seen }) => ({ ...object, ...seen })),
      },
      text: [header(state), ...body(watched, options.columns)].join('\n'),
    }
  }
  let last: Look | undefined
  await show(({ columns, rows, offset }: Screen) => {
    const seen = look(last)
    last = seen.look
    const lines = body(seen.watched, columns)
    const room = Math.max(1, rows - 4)
    const from = Math.min(offset, Math.max(0, lines.length - 1 - room))
    const hidden = lines.length - 1 - room
    return [
      cut(header(seen.state), columns),
      '',
      ...lines.slice(0, 1),
      ...lines.slice(1 + from, 1 + from + room),
      cut(hidden > 0 ? `q quits, ↑ ↓ scroll; ${hidden} more` : 'q quits', columns),
    ]
  }, options.interval)
  return undefined
}

function look(before: Look | undefined) {
  const [state, at] = [inspect(), performance.now()]
  const objects = observe(state, state.objects)
  const now: Look = { at, objects: new Map(), since: new Map() }
  const watched = objects.map((object): Watched => {
    const { name, kind } = object
    now.objects.set(name, object)
    const seconds = before === undefined ? 0 : (at - before.at) / 1000
    const rate = rateOf(kind, before?.objects.get(name)?.state, object.state, seconds)
    return { object, rate, heldFor: since(object, 'holders'), waitingFor: since(object, 'waiters') }
  })
  watched.sort(
    (a, b) =>
      b.object.waiters.length - a.object.waiters.length ||
      (b.rate?.perSecond ?? 0) - (a.rate?.perSecond ?? 0),
  )
  return { look: now, watched, state }

  function since(object: Listed, list: 'holders' | 'waiters'): number | null {
    if (object[list].length === 0) return null
    const key = JSON.stringify([list, object.name, object[list]])
    const from = before?.since.get(key) ?? at
    now.since.set(key, from)
    return (at - from) / 1000
  }
}

function header(state: ReturnType<typeof inspect>): string {
  const alive = state.agents.filter(agent => agent.alive).length
  const dead = state.agents.length - alive
  const agents = count(alive, 'agent') + (dead > 0 ? ` and ${dead} dead` : '')
  return `${domainOf(state)}: ${agents}, ${count(state.objects.length, 'object')}, ${bytes(state.freeBytes)} free`
}

function body(watched: readonly Watched[], room: number | undefined): string[] {
  const rows = watched.map(({ object, rate, heldFor, waitingFor }) => [
    object.name,
    object.kind,
    stateOf(object, object) || '-',
    rateText(rate),
    lasting(holders(object), heldFor),
    lasting(waiting(object), waitingFor),
  ])
  return table(COLUMNS, rows, room)
}

function rateText(rate: Rate | null): string {
  if (rate === null || rate.perSecond === 0) return '-'
  const { perSecond, unit } = rate
  if (unit === 'B/s') return `${bytes(Math.round(perSecond))}/s`
  return `${perSecond >= 100 ? Math.round(perSecond) : Number(perSecond.toFixed(1))} ${unit}`
}

/** "4711 9s": each look of so many seconds has found these. */
const lasting = (list: List | '-', seconds: number | null): Cell =>
  list === '-' || seconds === null || seconds < 1 ? list : { ...list, end: ` ${Math.floor(seconds)}s` }
