import { types } from 'node:util'
import { bytesOf } from '../util/index.js'
import { isList } from './arrays.js'
import { DEEPEST, tooDeep } from './depth.js'
import { bareError, bareException, hide, partsOf, partsOfException } from './errors.js'
import { cannotClone, type Kind, kindOf } from './kinds.js'
import { define } from './properties.js'
import type { Handle } from './references.js'
import { entriesOf, itemsOf, viewName } from './slots.js'

/**
 * What stands for an error: its class, or the message and name of a DOMException, and its parts.
 */
type StandIn = [
  made: number | [message: string, name: string],
  hidden: [string, unknown][],
  shown: [string, unknown][],
]

/** Whether views need copies: Bun's `serialize` sends all memory around them. */
const COPIES_VIEWS = process.versions.bun !== undefined

const needsCopy: ReadonlySet<Kind> = new Set<Kind>(
  COPIES_VIEWS ? ['handle', 'error', 'exception', 'view'] : ['handle', 'error', 'exception'],
)

/**
 * Whether a value holds anything that the runtime's `serialize` doesn't carry as codecs promise.
 *
 * @throws {TypeError} it holds what can't travel
 * @throws {CrossmemError} ERR_INVALID_ARG: it is nested too deeply
 */
export function needsStandIns(value: unknown): boolean {
  const seen = new Set<object>()
  let found = false
  const visit = (at: unknown, depth: number): void => {
    if (typeof at === 'function' || typeof at === 'symbol') throw cannotClone(at)
    if (typeof at !== 'object' || at === null || seen.has(at)) return
    seen.add(at)
    if (depth === DEEPEST) throw tooDeep()
    const kind = kindOf(at)
    found ||= needsCopy.has(kind)
    for (const part of partsWithin(at, kind)) visit(part, depth + 1)
  }
  visit(value, 0)
  return found
}

function partsWithin(value: object, kind: Kind): Iterable<unknown> {
  switch (kind) {
    case 'record':
      return Object.values(value)
    case 'array':
      return isList(value as unknown[]) ? (value as unknown[]) : Object.values(value)
    case 'map':
      return entriesOf(value).flat()
    case 'set':
      return itemsOf(value)
    case 'error':
    case 'exception':
      return [...partsOf(value).hidden.values(), ...Object.values(value)]
    default:
      return []
  }
}

/** Copies a value, with stand-ins for errors, and references for handles. */
export function withStandIns(value: unknown): [copy: unknown, standIns: StandIn[]] {
  const copies = new Map<object, object>()
  const standIns: StandIn[] = []

  function copyOf(original: unknown): unknown {
    if (typeof original !== 'object' || original === null) return original
    return copies.get(original) ?? copyObject(original)
  }

  function copyObject(original: object): object {
    const keep = <Copy extends object>(copy: Copy): Copy => {
      copies.set(original, copy)
      return copy
    }
    const kind = kindOf(original)
    switch (kind) {
      case 'handle':
        return keep((original as Handle).toJSON())
      case 'map': {
        const map = keep(new Map())
        for (const [key, item] of entriesOf(original)) map.set(copyOf(key), copyOf(item))
        return map
      }
      case 'set': {
        const set = keep(new Set())
        for (const item of itemsOf(original)) set.add(copyOf(item))
        return set
      }
      case 'array':
      case 'record': {
        const copy: object = keep(kind === 'array' ? new Array((original as unknown[]).length) : {})
        for (const [key, item] of Object.entries(original)) define(copy, key, copyOf(item))
        return copy
      }
      case 'error':
      case 'exception': {
        const { index, hidden } = kind === 'error' ? partsOf(original) : partsOfException(original)
        const { message, name } = original as Error
        const standIn: StandIn = keep([kind === 'error' ? index : [message, name], [], []])
        standIns.push(standIn)
        for (const [key, part] of hidden) standIn[1].push([key, copyOf(part)])
        for (const [key, part] of Object.entries(original)) standIn[2].push([key, copyOf(part)])
        return standIn
      }
      case 'view':
        return COPIES_VIEWS ? keep(compact(original as NodeJS.ArrayBufferView)) : original
      default:
        return original
    }
  }

  return [copyOf(value), standIns]
}

function compact(view: NodeJS.ArrayBufferView): NodeJS.ArrayBufferView {
  const { buffer } = new Uint8Array(bytesOf(view))
  if (Buffer.isBuffer(view)) return Buffer.from(buffer)
  const classes = globalThis as unknown as Record<string, new (buffer: ArrayBuffer) => NodeJS.ArrayBufferView>
  return new (classes[viewName(view)] ?? Uint8Array)(buffer)
}

/**
 * Puts errors in the places of their stand-ins. The copy may be made of anyone's bytes.
 *
 * @throws {RangeError} `withStandIns` made no such copy
 */
export function withoutStandIns([value, standIns]: [copy: unknown, standIns: StandIn[]]): unknown {
  const errors = new Map<unknown, Error>(standIns.map(standIn => [standIn, errorFor(standIn)]))
  const seen = new Set<object>()

  function restored(copy: unknown, depth: number): unknown {
    const error = errors.get(copy)
    if (error) return error
    if (typeof copy !== 'object' || copy === null || seen.has(copy)) return copy
    if (depth === DEEPEST) throw new RangeError('it is nested too deeply')
    seen.add(copy)
    if (types.isMap(copy)) {
      const entries = [...copy]
      copy.clear()
      for (const [key, item] of entries) copy.set(restored(key, depth + 1), restored(item, depth + 1))
    } else if (types.isSet(copy)) {
      const items = [...copy]
      copy.clear()
      for (const item of items) copy.add(restored(item, depth + 1))
    } else if (!ArrayBuffer.isView(copy)) {
      for (const [key, item] of Object.entries(copy)) {
        const part = restored(item, depth + 1)
        if (part !== item) define(copy, key, part)
      }
    }
    return copy
  }

  for (const [[, hidden, shown], error] of errors as Map<StandIn, Error>) {
    for (const [key, part] of hidden) hide(error, key, restored(part, 1))
    for (const [key, part] of shown) define(error, key, restored(part, 1))
  }
  return restored(value, 0)
}

const errorFor = ([made]: StandIn): Error =>
  typeof made === 'number' ? bareError(made) : bareException(...made)
