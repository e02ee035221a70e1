import { constants } from 'node:buffer'
import { CrossmemError, hasCode } from '../errors.js'
import {
  domainGroup,
  domainName,
  type NewSegment,
  nativeDomain,
  nativeSegments,
  type OpenSegment,
} from '../native/index.js'

/** The longest ArrayBuffer of this runtime, in bytes. */
const MAX_BUFFER = constants.MAX_LENGTH

/**
 * A handle that is collected without `close()` returns its memory once no view shows it. The object
 * stays open.
 */
const collected = new FinalizationRegistry<number>(handle => nativeSegments.forgetSegment(handle))

const NOTHING = new Uint8Array(0)

/** An open segment: a native handle, and at most one buffer of each kind over its bytes. */
export class Segment {
  readonly name: string
  readonly kind: string
  /**
   * The object's number, never used again in its domain; 0 for memory that another program made.
   */
  readonly id: number
  readonly byteLength: number
  readonly persist: boolean
  /** Whether another program made it. Only `unlink()` removes such memory. */
  readonly foreign: boolean
  readonly #handle: number
  #buffer: ArrayBuffer | undefined
  #sharedBuffer: SharedArrayBuffer | undefined
  /** Empty before there is a buffer, and after it was transferred. */
  #probe = NOTHING
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

  static create(spec: NewSegment): Segment {
    if (spec.name !== undefined) checkName(spec.name)
    if (
      spec.byteLength > MAX_BUFFER &&
      spec.byteLength <= nativeDomain.inspectDomain(domainName(), domainGroup()).freeBytes
    ) {
      throw tooLarge(spec.byteLength)
    }
    return new Segment(nativeSegments.createSegment(spec))
  }

  /** Opens an object of that kind, or of any kind if it is `undefined`. */
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
    if (this.#probe.length === 0) this.#makeBuffer(handle)
    return this.#buffer as ArrayBuffer
  }

  /** `undefined` in a runtime that refuses external buffers (Electron). */
  get bufferIfAny(): ArrayBuffer | undefined {
    try {
      return this.buffer
    } catch (error) {
      if (hasCode(error, 'ERR_NO_EXTERNAL_BUFFERS')) return undefined
      throw error
    }
  }

  /** Copies the bytes from `offset` on into `target`, by a call. */
  read(offset: number, target: Uint8Array): void {
    nativeSegments.readSegment(this.handle, offset, target)
  }

  /** Copies the bytes of `source` to `offset`, by a call. */
  write(offset: number, source: Uint8Array): void {
    nativeSegments.writeSegment(this.handle, offset, source)
  }

  /** Nothing detaches it: it shows the memory after `close()`, too. */
  get sharedBuffer(): SharedArrayBuffer {
    const { handle } = this
    this.#sharedBuffer ??= nativeSegments.segmentSharedBuffer(handle)
    return this.#sharedBuffer
  }

  /** A copy of all bytes, also in a runtime that can't show them. */
  copy(): ArrayBuffer {
    const copy = new Uint8Array(this.byteLength)
    this.read(0, copy)
    return copy.buffer
  }

  /**
   * Fills it with other bytes if this is the only handle of it, here and in all living processes.
   * Returns whether it did.
   */
  refill(contents: Uint8Array): boolean {
    return nativeSegments.refillSegment(this.handle, contents)
  }

  /** From now on it needs no `close()`: it closes when its buffer has been collected. */
  closeWithBuffer(): void {
    nativeSegments.closeWithBuffer(this.handle)
    collected.unregister(this)
  }

  #makeBuffer(handle: number): void {
    if (this.#buffer) throw transferred(this.name)
    this.#buffer = nativeSegments.segmentBuffer(handle)
    this.#probe = new Uint8Array(this.#buffer, 0, 1)
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
    this.#sharedBuffer = undefined
  }
}

/**
 * What `make` returns, or `undefined` if there is no buffer to make it of: in a runtime without
 * external buffers (Electron), or after it was transferred. There the addon does all work.
 */
export function unlessHidden<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    if (hasCode(error, 'ERR_NO_EXTERNAL_BUFFERS', 'ERR_DETACHED')) return undefined
    throw error
  }
}

/** Checks what only JavaScript can know of a name. The addon checks the rest. */
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

const transferred = (name: string): CrossmemError =>
  new CrossmemError(
    'ERR_DETACHED',
    `the ArrayBuffer of "${name}" has another owner now: transfer(), a transfer list, a byte stream or a BYOB read took it; hand over a copy (slice()) instead, and open "${name}" anew to see its memory again`,
  )

const tooLarge = (byteLength: number): CrossmemError =>
  new CrossmemError(
    'ERR_TOO_LARGE',
    `${byteLength} bytes are more than one ArrayBuffer of this runtime can show (${MAX_BUFFER}); use several segments`,
  )
