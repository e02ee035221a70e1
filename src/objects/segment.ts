import { constants } from 'node:buffer'
import { CrossmemError, hasCode } from '../errors.js'
import { domainName, type NewSegment, native, type OpenSegment } from '../native/addon.js'

/** Longest ArrayBuffer of this runtime, in bytes. */
const MAX_BUFFER = constants.MAX_LENGTH

/** Handles that were collected without `close()` give their memory back once nothing shows it; the object stays. */
const collected = new FinalizationRegistry<number>(handle => native.forgetSegment(handle))

/** An open segment: a native handle, and at most one ArrayBuffer over its bytes. */
export class Segment {
  readonly name: string
  readonly kind: string
  /** Number of the object, never used again in its domain; 0 for a foreign one. */
  readonly id: number
  readonly byteLength: number
  readonly persist: boolean
  /** Made by another program: never unlinked unless asked to. */
  readonly foreign: boolean
  readonly #handle: number
  #buffer: ArrayBuffer | undefined
  #closed = false

  constructor(open: OpenSegment) {
    this.name = open.name
    this.kind = open.kind
    this.id = open.id
    this.byteLength = open.byteLength
    this.persist = open.persist
    this.foreign = open.foreign
    this.#handle = open.handle
    collected.register(this, open.handle, this)
  }

  static create(wanted: NewSegment): Segment {
    if (wanted.name !== undefined) checkName(wanted.name)
    if (wanted.byteLength > MAX_BUFFER && wanted.byteLength <= native.inspectDomain(domainName()).freeBytes) {
      throw tooLarge(wanted.byteLength)
    }
    return new Segment(native.createSegment(wanted))
  }

  /** Opens an object of that kind, or with `undefined` of any. */
  static open(name: string, kind?: string): Segment {
    checkName(name)
    const segment = new Segment(native.openSegment(name, kind))
    if (segment.byteLength > MAX_BUFFER) {
      segment.close()
      throw tooLarge(segment.byteLength)
    }
    return segment
  }

  get handle(): number {
    if (this.#closed) {
      throw new CrossmemError('ERR_CLOSED', `"${this.name}" was closed; open it again to use it`)
    }
    return this.#handle
  }

  get isClosed(): boolean {
    return this.#closed
  }

  get buffer(): ArrayBuffer {
    const { handle } = this
    this.#buffer ??= native.segmentBuffer(handle)
    return this.#buffer
  }

  unlink(): void {
    native.unlinkSegment(this.handle)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    collected.unregister(this)
    native.closeSegment(this.#handle, this.#buffer)
    this.#buffer = undefined
  }
}

/** What `make` makes, unless this runtime doesn't show shared memory (Electron): then it is all left to the addon. */
export function unlessHidden<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    if (hasCode(error, 'ERR_NO_EXTERNAL_BUFFERS')) return undefined
    throw error
  }
}

/** The options that every maker of objects takes. */
export interface CreateOptions {
  /** Keep the object when its last living user is gone, until it is unlinked or the system restarts. Default: false. */
  persist?: boolean
}

/** What JavaScript strings can hold beyond what a name can: the rest is checked in Rust. */
export function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string') {
    throw new CrossmemError(
      'ERR_INVALID_NAME',
      `a name is a string, not ${name === null ? 'null' : typeof name}`,
    )
  }
  if (/\p{Surrogate}/u.test(name)) {
    throw new CrossmemError(
      'ERR_INVALID_NAME',
      `the name ${JSON.stringify(name)} has half a surrogate pair in it`,
    )
  }
}

/** `new` is not how handles are made: that opens nothing. */
export function checkMaker(segment: unknown, kind: string): asserts segment is Segment {
  if (segment instanceof Segment) return
  throw new CrossmemError('ERR_INVALID_ARG', `make one with ${kind}.create, .open or open(), not with new`)
}

/** `{ persist }`, checked. */
export function checkPersist(options: CreateOptions | undefined): boolean {
  const persist = options?.persist ?? false
  if (typeof persist !== 'boolean') throw new CrossmemError('ERR_INVALID_ARG', 'persist is true or false')
  return persist
}

/**
 * Opens what exists and creates what doesn't, whoever else does the same at that moment.
 * Another process may create between our two steps, or the last one may leave: then we look again.
 */
export function openOrCreate<T>(open: () => T, create: () => T): T {
  for (;;) {
    try {
      return open()
    } catch (error) {
      if (!hasCode(error, 'ERR_NOT_FOUND')) throw error
    }
    try {
      return create()
    } catch (error) {
      if (!hasCode(error, 'ERR_EXISTS')) throw error
    }
  }
}

const tooLarge = (byteLength: number): CrossmemError =>
  new CrossmemError(
    'ERR_TOO_LARGE',
    `${byteLength} bytes are more than one ArrayBuffer of this runtime can show (${MAX_BUFFER}); use several segments`,
  )
