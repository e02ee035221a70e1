import { types } from 'node:util'

/** The parts of an error that a loop over its keys doesn't show. */
const hidden = ['name', 'message', 'stack', 'cause', 'errors', 'error', 'suppressed']

/**
 * Describes a value in a text that is the same in every runtime: classes, properties, bytes, holes,
 * and which objects are the same one.
 */
export function describe(value: unknown): string {
  const numbers = new Map<object, number>()

  function text(at: unknown): string {
    if (Object.is(at, -0)) return '-0'
    if (typeof at === 'string') return JSON.stringify(at)
    if (typeof at === 'bigint') return `${at}n`
    if (typeof at !== 'object' || at === null) return String(at)
    const number = numbers.get(at)
    if (number !== undefined) return `#${number}`
    numbers.set(at, numbers.size)
    return `${Object.getPrototypeOf(at)?.constructor?.name} ${contents(at)}`
  }

  function contents(at: object): string {
    if (ArrayBuffer.isView(at)) return hex(at.buffer as ArrayBuffer, at.byteOffset, at.byteLength)
    if (types.isArrayBuffer(at)) return hex(at, 0, at.byteLength)
    if (types.isDate(at)) return String(at.getTime())
    if (types.isRegExp(at)) return `${at} ${at.lastIndex}`
    if (types.isBoxedPrimitive(at)) return text(at.valueOf())
    if (types.isMap(at))
      return `{ ${[...at].map(([key, item]) => `${text(key)} => ${text(item)}`).join(', ')} }`
    if (types.isSet(at)) return `{ ${[...at].map(text).join(', ')} }`
    const length = Array.isArray(at) ? `${at.length} ` : ''
    return `${length}{ ${[...hiddenParts(at), ...Object.entries(at)].map(([key, item]) => `${JSON.stringify(key)}: ${text(item)}`).join(', ')} }`
  }

  return text(value)
}

function hiddenParts(at: object): [string, unknown][] {
  const isException = Object.prototype.toString.call(at) === '[object DOMException]'
  if (!isException && !types.isNativeError(at)) return []
  return hidden
    .filter(key => key in at && !Object.prototype.propertyIsEnumerable.call(at, key))
    .map(key => [`(${key})`, (at as Record<string, unknown>)[key]])
}

const hex = (buffer: ArrayBuffer, start: number, length: number): string =>
  Buffer.from(buffer, start, length).toString('hex')
