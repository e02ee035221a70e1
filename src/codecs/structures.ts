import { MOST_STRUCTURES } from './msgpack-tags.js'
import { type ReadProperties, readerOf, type WriteProperties, writerOf } from './shape-code.js'

/** A list that all processes of a queue have in common. What is in it stays, at its place. */
export interface StructureList {
  /**
   * Returns the place of an entry with these bytes, which is added if there is none.
   *
   * @throws {CrossmemError} ERR_CORRUPT
   */
  add(bytes: Uint8Array): number | 'no room' | 'not now'
  /**
   * Returns copies of all entries.
   *
   * @throws {CrossmemError} ERR_CORRUPT
   */
  entries(): Uint8Array[]
}

/** A structure as a writer uses it. */
export interface Shape {
  readonly number: number
  /** Whether an object has these names, and no others, in this order. */
  fits(object: object): boolean
  /** Writes the values of such an object. */
  write: WriteProperties
}

/** The names of objects, and how often they were seen. */
interface Seen {
  readonly names: readonly string[]
  times: number
  shape?: Shape
}

/** The most names of a structure, and the most characters of all of them together. */
const MOST_NAMES = 32
const MOST_CHARACTERS = 400
/** So often objects of the same names are seen before they get a structure. */
const OFTEN = 8
/** How many sets of names are remembered: a power of two. */
const REMEMBERED = 256
/** So many depths of values have a guess of their own: a power of two. */
const DEPTHS = 8

/**
 * The structures of a queue: an object that has one travels as the structure's number and its
 * values, without its names. Objects whose names are seldom the same get none.
 */
export class Structures {
  readonly #list: StructureList
  readonly #seen: (Seen | undefined)[] = new Array(REMEMBERED).fill(undefined)
  /** The shape that was written last at each depth. */
  readonly #guesses: (Shape | undefined)[] = new Array(DEPTHS).fill(undefined)
  /** Seen often: they get a structure before the next value. */
  #due: Seen[] = []
  #hasRoom = true
  readonly #readers: ReadProperties[] = []

  constructor(list: StructureList) {
    this.#list = list
  }

  /** The shape that an object at this depth has probably. */
  guess(depth: number): Shape | undefined {
    return this.#guesses[depth & (DEPTHS - 1)]
  }

  /** Returns the shape of an object with these names, if it has one, and remembers the names. */
  find(names: readonly string[], depth: number): Shape | undefined {
    const slot = hash(names)
    if (slot === undefined) return undefined
    const seen = this.#recall(slot, names)
    if (!seen) return undefined
    if (seen.shape) this.#guesses[depth & (DEPTHS - 1)] = seen.shape
    else if (++seen.times === OFTEN) this.#due.push(seen)
    return seen.shape
  }

  /** Looks for names at the two places where they may be, and else puts them there. */
  #recall(slot: number, names: readonly string[]): Seen | undefined {
    const here = this.#seen[slot]
    if (here && areSame(here.names, names)) return here
    const there = this.#seen[slot ^ 1]
    if (there && areSame(there.names, names)) return there
    if (this.#hasRoom) {
      // Those that were seen less often make room. Those that have a structure stay.
      const isHere = worth(here) <= worth(there)
      if (worth(isHere ? here : there) < OFTEN) this.#seen[isHere ? slot : slot ^ 1] = { names, times: 1 }
    }
    return undefined
  }

  /** Adds what was seen often. Called between values: a value is written by what there was. */
  settle(): void {
    for (const seen of this.#due) this.#add(seen)
    if (this.#due.length > 0) this.#due = []
  }

  #add(seen: Seen): void {
    if (!this.#hasRoom) return
    const number = this.#list.add(bytesOf(seen.names))
    if (number === 'not now') seen.times = 0
    else if (number === 'no room' || number >= MOST_STRUCTURES) this.#hasRoom = false
    else seen.shape = { number, ...writerOf(seen.names) }
  }

  /**
   * How objects of the structure with this number are read.
   *
   * @throws {RangeError} there is no such structure
   * @throws {CrossmemError} ERR_CORRUPT
   */
  reader(number: number): ReadProperties {
    return this.#readers[number] ?? this.#load(number)
  }

  #load(number: number): ReadProperties {
    for (const entry of this.#list.entries().slice(this.#readers.length, MOST_STRUCTURES)) {
      this.#readers.push(readerOf(namesIn(entry)))
    }
    const reader = this.#readers[number]
    if (!reader) throw new RangeError(`there is no structure ${number}`)
    return reader
  }
}

/** A place among those that are remembered; `undefined` for names that get no structure. */
function hash(names: readonly string[]): number | undefined {
  const { length } = names
  if (length === 0 || length > MOST_NAMES) return undefined
  let hash = length
  let characters = 0
  for (let i = 0; i < length; i++) {
    const name = names[i] as string
    if (!isName(name)) return undefined
    characters += name.length
    hash = Math.imul(hash, 31) + name.length + name.charCodeAt(0) + name.charCodeAt(name.length - 1)
  }
  return characters > MOST_CHARACTERS ? undefined : (hash ^ (hash >>> 11)) & (REMEMBERED - 1)
}

const worth = (seen: Seen | undefined): number => (seen?.shape ? OFTEN : (seen?.times ?? 0))

function areSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Whether a name has its place by when it was added, and means nothing in an object literal. */
function isName(name: string): boolean {
  const first = name.charCodeAt(0)
  return !(first >= 0x30 && first <= 0x39) && name !== '__proto__'
}

/** Names as a list in JSON, in which each string has a form, also one that is not well-formed. */
const bytesOf = (names: readonly string[]): Uint8Array =>
  Buffer.from(`[${names.map(name => JSON.stringify(name)).join()}]`)

/** The bytes may be anyone's. */
function namesIn(bytes: Uint8Array): readonly string[] {
  const names: unknown = JSON.parse(Buffer.from(bytes).toString())
  const isSound =
    Array.isArray(names) &&
    names.length <= MOST_NAMES &&
    names.every(name => typeof name === 'string' && isName(name)) &&
    new Set(names).size === names.length
  if (!isSound) throw new RangeError('the names of a structure were overwritten')
  return names as string[]
}
