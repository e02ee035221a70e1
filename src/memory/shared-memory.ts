import { CrossmemError } from '../errors.js'
import {
  type CreateOptions,
  checkCreateOptions,
  createOptions,
  existsAs,
  openOrCreate,
  Segment,
  whenCreated,
} from '../objects/index.js'
import { bytesOf, checkSpan, show } from '../util/index.js'
import type { WaitOptions } from '../wait/index.js'
import { MemoryHandle } from './memory-handle.js'

/**
 * A named segment of raw bytes, without a header: Python's
 * `multiprocessing.shared_memory.SharedMemory`. It stays until `unlink()`, or until the last agent
 * that has it open closes it or dies.
 *
 * A handle that is sent through `process.send`, `postMessage` or JSON arrives as a reference, of
 * which `open()` makes a handle again.
 *
 * @example
 * ```js
 * import { SharedMemory } from 'crossmem'
 *
 * const memory = SharedMemory.create(null, 4096)
 * const same = SharedMemory.open(memory.name)
 * memory.bytes[0] = 42
 * console.log(same.bytes[0], same.byteLength) // 42 4096
 * same.close()
 * memory.close()
 * ```
 */
export class SharedMemory extends MemoryHandle<'SharedMemory'> {
  private constructor(segment: Segment) {
    super(segment, 'SharedMemory')
  }

  /** @internal */
  static attach(segment: Segment): SharedMemory {
    return new SharedMemory(segment)
  }

  /**
   * Creates a segment whose bytes are 0. Its memory is reserved, so a later write can't fail.
   *
   * @param name `null` picks a random name
   * @param byteLength from 1 up
   * @throws {CrossmemError} ERR_EXISTS: the name is taken. ERR_INVALID_NAME, ERR_INVALID_ARG: an
   *   argument is refused. ERR_NO_SPACE: shared memory is full. ERR_TOO_LARGE: the bytes are more
   *   than one ArrayBuffer can show. ERR_LIMIT: a limit of the domain or the system is reached
   */
  static create(name: string | null, byteLength: number, options?: CreateOptions): SharedMemory {
    checkByteLength(byteLength)
    const how = checkCreateOptions(createOptions(options))
    return new SharedMemory(
      Segment.create({ name: name ?? undefined, kind: 'SharedMemory', byteLength, ...how }),
    )
  }

  /**
   * Opens a segment of this domain, or any POSIX shared memory that this user may use, such as
   * Python's. In a domain of a group, any file in the directory of the group.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND: no shared memory has the name. ERR_WRONG_KIND: the
   *   object is of another class. ERR_INVALID_NAME: the name is refused. ERR_TOO_LARGE: the bytes
   *   are more than one ArrayBuffer can show. ERR_PERMISSION: the memory is another user's.
   *   ERR_LIMIT: a limit of the domain or the system is reached
   */
  static open(name: string): SharedMemory {
    return new SharedMemory(Segment.open(name, 'SharedMemory'))
  }

  /**
   * Opens the segment once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated(name: string, options?: WaitOptions): Promise<SharedMemory> {
    return whenCreated(name, () => SharedMemory.open(name), options)
  }

  /**
   * Opens the segment if it exists, else creates it: processes that share it may start in any
   * order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS.
   *   ERR_INVALID_ARG: it exists with another length
   */
  static openOrCreate(name: string, byteLength: number, options?: CreateOptions): SharedMemory {
    checkByteLength(byteLength)
    const memory = openOrCreate(
      createOptions(options),
      () => SharedMemory.open(name),
      () => SharedMemory.create(name, byteLength, options),
    )
    if (memory.byteLength === byteLength) return memory
    throw existsAs(memory, `with ${memory.byteLength} bytes, not ${byteLength}`)
  }

  /** Number of bytes, exactly as created. */
  get byteLength(): number {
    return this.segment.byteLength
  }

  /**
   * The bytes themselves, without a copy: one plain ArrayBuffer per handle, the same at every
   * access. `close()` detaches it.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed. ERR_DETACHED: the buffer was
   *   transferred. ERR_NO_EXTERNAL_BUFFERS: this runtime can't show shared memory (Electron); use
   *   `read` and `write`
   */
  get buffer(): ArrayBuffer {
    return this.segment.buffer
  }

  /**
   * A new Uint8Array over the whole {@link buffer}.
   *
   * @throws {CrossmemError} as `buffer`
   */
  // What `Uint8Array.of` returns is Uint8Array<ArrayBuffer>, which compilers before TypeScript 5.7
  // can't read.
  get bytes(): ReturnType<typeof Uint8Array.of> {
    return new Uint8Array(this.buffer)
  }

  /**
   * The bytes, as `bytes`, but over a SharedArrayBuffer: worker threads get it
   * without a copy, by `postMessage` or `workerData`. Each access makes a new typed array over the
   * same SharedArrayBuffer.
   *
   * Nothing detaches a SharedArrayBuffer: `close()` leaves this as it is, and the memory stays in
   * use until all threads have dropped it and their garbage collectors have noticed.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed. ERR_UNSUPPORTED: the runtime makes no
   *   SharedArrayBuffer of such memory; Node 22.23.3, 24.16, 26.1 and later do, on Linux.
   *   ERR_LIMIT: a limit of the system is reached. ERR_NO_EXTERNAL_BUFFERS: the runtime can't show
   *   shared memory (Electron)
   */
  get shared(): Uint8Array & { readonly buffer: SharedArrayBuffer } {
    return new Uint8Array(this.segment.sharedBuffer)
  }

  /**
   * Copies the bytes from `offset` on into `target`, in every runtime. Other processes may be
   * writing to them: then the copy is a mixture of old and new, but not inside 2, 4 or 8 bytes at a
   * multiple of that number.
   *
   * @param offset in bytes
   * @param target a typed array or DataView; all its bytes are filled
   * @returns `target`
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: there are fewer bytes. ERR_INVALID_ARG: an argument
   *   is refused. ERR_CLOSED: the handle is closed
   */
  read<T extends ArrayBufferView>(offset: number, target: T): T {
    this.segment.read(this.#checked(offset, 'target', target), bytesOf(target))
    return target
  }

  /**
   * Copies the bytes of `source` to `offset`, in every runtime. What other processes see meanwhile
   * is as in `read`.
   *
   * @param offset in bytes
   * @param source a typed array or DataView
   * @throws {CrossmemError} as `read`
   */
  write(offset: number, source: ArrayBufferView): void {
    this.segment.write(this.#checked(offset, 'source', source), bytesOf(source))
  }

  #checked(offset: number, name: string, view: unknown): number {
    if (!ArrayBuffer.isView(view)) {
      throw new CrossmemError('ERR_INVALID_ARG', `${name} is a typed array or DataView, not ${show(view)}`)
    }
    checkSpan(offset, view.byteLength, this.byteLength, 'bytes')
    return offset
  }

  /** @internal */
  protected override state(): object {
    return { byteLength: this.byteLength }
  }
}

function checkByteLength(byteLength: number): void {
  if (Number.isSafeInteger(byteLength) && byteLength >= 1) return
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    `byteLength is a whole number from 1 up, not ${show(byteLength)}`,
  )
}
