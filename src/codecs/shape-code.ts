import { hasOnly, madeCode } from '../util/index.js'
import { setProperty } from './properties.js'

// Code for objects of one structure, made of its names. V8 gives each piece of code its own
// feedback, so reading a property of an object, and making one, is as fast as in code that was
// written for it.

// Bound here: what is imported is read through accessors of two modules at each use.
const hasNames = hasOnly

/** What a value is written with. */
interface ValueWriter {
  value(value: unknown, depth: number): void
}

/** What a value is read with. */
interface ValueReader {
  value(depth: number): unknown
  /** Gives an object its number, before its parts are read. */
  keep<Made extends object>(object: Made): Made
}

type Properties = Record<string, unknown>

/** Writes the values of an object's properties, each at this depth. */
export type WriteProperties = (writer: ValueWriter, object: Properties, depth: number) => void

/** Reads such values, each at this depth, and makes an object of them. */
export type ReadProperties = (reader: ValueReader, depth: number) => object

interface ShapeWriter {
  fits(object: object): boolean
  write: WriteProperties
}

// A name gets into source text as JSON only, and each string in JSON is a literal of JavaScript.
// `__proto__` in an object literal means something else: no structure has that name.
const quoted = (name: string): string => JSON.stringify(name)

/** The code that writes objects with these names. */
export function writerOf(names: readonly string[]): ShapeWriter {
  const values = names.map(name => `writer.value(object[${quoted(name)}], depth)`)
  const made = madeCode<WriteProperties>([], `return (writer, object, depth) => { ${values.join(';')} }`, [])
  return {
    fits: object => hasNames(object, names),
    write:
      made ??
      ((writer, object, depth) => {
        for (let i = 0; i < names.length; i++) writer.value(object[names[i] as string], depth)
      }),
  }
}

/** The code that reads objects with these names. */
export function readerOf(names: readonly string[]): ReadProperties {
  const properties = names.map(name => `${quoted(name)}: undefined`)
  const values = names.map(name => `object[${quoted(name)}] = reader.value(depth)`)
  const made = madeCode<ReadProperties>(
    [],
    `return (reader, depth) => {
      const object = reader.keep({ ${properties.join()} })
      ${values.join(';')}
      return object
    }`,
    [],
  )
  return (
    made ??
    ((reader, depth) => {
      const object: Properties = reader.keep({})
      for (let i = 0; i < names.length; i++) setProperty(object, names[i] as string, reader.value(depth))
      return object
    })
  )
}
