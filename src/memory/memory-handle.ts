import { checkMaker, noteBirth, type Segment } from '../objects/index.js'
import { dispose, type InspectionArguments, inspection, showAs } from '../util/index.js'

/** Base of the handles of plain memory, which nothing waits for: a name, a reference, closing. */
export abstract class MemoryHandle<Kind extends string> implements Disposable {
  /**
   * The class name. `crossmem` and `name` are all that is sent to another process; `open()` makes a
   * handle of them there.
   */
  readonly crossmem: Kind
  /** The name of the segment. */
  readonly name: string
  readonly #segment: Segment

  /** @internal */
  protected constructor(segment: Segment, kind: Kind) {
    checkMaker(segment, kind)
    noteBirth(this)
    this.crossmem = kind
    this.name = segment.name
    this.#segment = segment
  }

  /** @internal */
  protected get segment(): Segment {
    return this.#segment
  }

  /**
   * Whether the segment stays when no agent has it open.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  get persist(): boolean {
    void this.#segment.handle
    return this.#segment.persist
  }

  /**
   * Removes the name now; the memory stays until the last handle is closed. Idempotent.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed. ERR_PERMISSION: the memory is another
   *   user's
   */
  unlink(): void {
    this.#segment.unlink()
  }

  /**
   * Closes the handle: all views of its memory become empty. Await asynchronous work on the views
   * first: it would see zeros. The last agent that closes the segment removes it, unless it
   * persists. Idempotent.
   */
  close(): void {
    this.#segment.close()
  }

  /** Closes the handle; `using` calls this. */
  [dispose](): void {
    this.close()
  }

  /** The reference to send to another process, where `open()` takes it. */
  toJSON(): { crossmem: Kind; name: string } {
    return { crossmem: this.crossmem, name: this.name }
  }

  /** Shows name and length in `console.log`, or that the handle is closed. */
  [inspection](...how: InspectionArguments): string {
    const { name } = this
    return showAs(
      `${this.crossmem}${this.#segment.isClosed ? ' (closed)' : ''}`,
      { name, ...this.state() },
      ...how,
    )
  }

  /** What `console.log` shows besides the name. @internal */
  protected abstract state(): object
}
