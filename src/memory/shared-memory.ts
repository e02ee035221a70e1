import { CrossmemError } from '../errors.js'
import {
  type CreateOptions,
  checkMaker,
  checkPersist,
  existsAs,
  openOrCreate,
  Segment,
} from '../objects/index.js'

/**
 * A named segment of raw bytes, the counterpart of Python's `multiprocessing.shared_memory.SharedMemory`: no header,
 * byte 0 is yours. It lives until `unlink()`, or until the last living agent that has it open is gone.
 *
 * A handle travels: through `process.send`, `postMessage` or JSON it becomes a reference, which `open()` takes.
 */
export class SharedMemory implements Disposable {
  /** Marks a reference. With `name`, the only thing that travels. */
  readonly crossmem = 'SharedMemory'
  readonly name: string
  readonly #segment: Segment

  private constructor(segment: Segment) {
    checkMaker(segment, 'SharedMemory')
    this.name = segment.name
    this.#segment = segment
  }

  /** Shows an open segment. @internal */
  static attach(segment: Segment): SharedMemory {
    return new SharedMemory(segment)
  }

  /**
   * @param name `null` makes a random one
   * @param byteLength 1 to the free bytes of shared memory; zeroed and reserved, so that a later write can't fail
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_TOO_LARGE, ERR_LIMIT
   */
  static create(name: string | null, byteLength: number, options?: CreateOptions): SharedMemory {
    if (!Number.isSafeInteger(byteLength) || byteLength < 1) {
      throw new CrossmemError(
        'ERR_INVALID_ARG',
        `byteLength is a whole number from 1 up, not ${String(byteLength)}`,
      )
    }
    const persist = checkPersist(options)
    return new SharedMemory(
      Segment.create({ name: name ?? undefined, kind: 'SharedMemory', byteLength, persist }),
    )
  }

  /**
   * Opens a segment of this domain, or any POSIX shared memory of this user, such as Python's.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_INVALID_NAME, ERR_TOO_LARGE, ERR_PERMISSION, ERR_LIMIT
   */
  static open(name: string): SharedMemory {
    return new SharedMemory(Segment.open(name, 'SharedMemory'))
  }

  /**
   * Opens it if it exists, else creates it; both sides may start in any order.
   *
   * @throws {CrossmemError} as both, and ERR_INVALID_ARG if it exists with another length
   */
  static openOrCreate(name: string, byteLength: number, options?: CreateOptions): SharedMemory {
    const memory = openOrCreate(
      () => SharedMemory.open(name),
      () => SharedMemory.create(name, byteLength, options),
    )
    if (memory.byteLength === byteLength) return memory
    throw existsAs(memory, `with ${memory.byteLength} bytes, not ${byteLength}`)
  }

  /** Exactly as created, on every side. */
  get byteLength(): number {
    return this.#segment.byteLength
  }

  /** Whether it outlives all agents. */
  get persist(): boolean {
    return this.#segment.persist
  }

  /**
   * The bytes themselves: one plain ArrayBuffer per handle, the same at every access. `close()` detaches it.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_NO_EXTERNAL_BUFFERS
   */
  get buffer(): ArrayBuffer {
    return this.#segment.buffer
  }

  /** A Uint8Array over the whole {@link buffer}. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.buffer)
  }

  /**
   * Removes the name now; the memory lives on until the last handle is closed. Idempotent.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_PERMISSION
   */
  unlink(): void {
    this.#segment.unlink()
  }

  /**
   * Lets go: views of it become empty, also for asynchronous work under way on them, which then sees zeros: await it
   * first. The last one out removes the object unless it persists. Idempotent.
   */
  close(): void {
    this.#segment.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** The reference that `open()` takes. */
  toJSON(): { crossmem: 'SharedMemory'; name: string } {
    return { crossmem: this.crossmem, name: this.name }
  }
}
