import { setProperty } from './properties.js'

// Code for objects of one structure, made of its names. V8 gives each piece of code its own
// feedback, so reading a property of an object, and making one, is as fast as in code that was
// written for it.

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

const { hasOwn } = Object

/** Whether code can be made of strings: `--disallow-code-generation-from-strings` forbids it. */
let makesCode = true

function made<Code>(source: string, names: readonly string[], otherwise: () => Code): Code {
  if (!makesCode) return otherwise()
  try {
    return new Function('names', 'hasOwn', `'use strict'; return ${source}`)(names, hasOwn) as Code
  } catch (error) {
    // The source has no error, but the stack may be full. The EvalError may be of another realm.
    if (Object(error).name !== 'EvalError') throw error
    makesCode = false
    return otherwise()
  }
}

// A name gets into source text as JSON only, and each string in JSON is a literal of JavaScript.
// `__proto__` in an object literal means something else: no structure has that name.
const quoted = (name: string): string => JSON.stringify(name)

/** The code that writes objects with these names. */
export function writerOf(names: readonly string[]): ShapeWriter {
  const last = names.at(-1) as string
  // A loop over names comes to inherited ones after all own ones. So if the last name is the
  // object's own, all are.
  const values = names.map(name => `writer.value(object[${quoted(name)}], depth)`)
  return made(
    `{
      fits(object) {
        let at = 0
        for (const key in object) if (key !== names[at++]) return false
        return at === ${names.length} && hasOwn(object, ${quoted(last)})
      },
      write(writer, object, depth) { ${values.join(';')} }
    }`,
    names,
    () => ({
      fits: object => {
        let at = 0
        for (const key in object) if (key !== names[at++]) return false
        return at === names.length && hasOwn(object, last)
      },
      write: (writer, object, depth) => {
        for (let i = 0; i < names.length; i++) writer.value(object[names[i] as string], depth)
      },
    }),
  )
}

/** The code that reads objects with these names. */
export function readerOf(names: readonly string[]): ReadProperties {
  const properties = names.map(name => `${quoted(name)}: undefined`)
  const values = names.map(name => `object[${quoted(name)}] = reader.value(depth)`)
  return made(
    `(reader, depth) => {
      const object = reader.keep({ ${properties.join()} })
      ${values.join(';')}
      return object
    }`,
    names,
    () => (reader, depth) => {
      const object: Properties = reader.keep({})
      for (let i = 0; i < names.length; i++) setProperty(object, names[i] as string, reader.value(depth))
      return object
    },
  )
}
