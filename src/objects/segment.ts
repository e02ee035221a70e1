import { constants } from 'node:buffer'
import { CrossmemError, hasCode } from '../errors.js'
import {
  domainName,
  type NewSegment,
  nativeDomain,
  nativeSegments,
  type OpenSegment,
} from '../native/index.js'

/** Longest ArrayBuffer of this runtime, in bytes. */
const MAX_BUFFER = constants.MAX_LENGTH

/** Handles that were collected without `close()` give their memory back once nothing shows it; the object stays. */
const collected = new FinalizationRegistry<number>(handle => nativeSegments.forgetSegment(handle))

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
    if (
      wanted.byteLength > MAX_BUFFER &&
      wanted.byteLength <= nativeDomain.inspectDomain(domainName()).freeBytes
    ) {
      throw tooLarge(wanted.byteLength)
    }
    return new Segment(nativeSegments.createSegment(wanted))
  }

  /** Opens an object of that kind, or with `undefined` of any. */
  static open(name: string, kind?: string): Segment {
    checkName(name)
    const segment = new Segment(nativeSegments.openSegment(name, kind))
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
    this.#buffer ??= nativeSegments.segmentBuffer(handle)
    return this.#buffer
  }

  unlink(): void {
    nativeSegments.unlinkSegment(this.handle)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    collected.unregister(this)
    nativeSegments.closeSegment(this.#handle, this.#buffer)
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

const tooLarge = (byteLength: number): CrossmemError =>
  new CrossmemError(
    'ERR_TOO_LARGE',
    `${byteLength} bytes are more than one ArrayBuffer of this runtime can show (${MAX_BUFFER}); use several segments`,
  )
