import { CrossmemError } from '../errors.js'
import { checkMaker } from './create.js'
import { type Segment } from './segment.js'
import { SharedObject, type WaitKind } from './shared-object.js'

/** What all handles of locks and the like have in common. */
export abstract class Handle<Kind extends string> implements Disposable {
  /** Marks a reference. With `name`, the only thing that travels. */
  readonly crossmem: Kind
  readonly name: string
  #object: SharedObject | undefined

  /** @internal */
  protected constructor(segment: Segment, kind: Kind, waits: WaitKind) {
    checkMaker(segment, kind)
    this.crossmem = kind
    this.name = segment.name
    this.#object = SharedObject.attach(segment, waits)
  }

  /** @internal */
  protected get object(): SharedObject {
    if (this.#object) return this.#object
    throw new CrossmemError('ERR_CLOSED', `"${this.name}" was closed; open it again to use it`)
  }

  /** What `make` makes of the object; if that fails, so does making the handle. @internal */
  protected orClose<Made>(make: (object: SharedObject) => Made): Made {
    try {
      return make(this.object)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Whether it outlives all agents. */
  get persist(): boolean {
    return this.object.segment.persist
  }

  /**
   * Removes the name now: who waits in another process is told (ERR_NOT_FOUND), and who has it open can go on using it.
   * Idempotent.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_PERMISSION
   */
  unlink(): void {
    this.object.segment.unlink()
  }

  /**
   * Lets go. With the last handle of this thread, waits here reject with ERR_CLOSED, and a lock that is still held counts as
   * left half-done: its next holder is told `ownerDied`. The last one out removes the object unless it persists. Idempotent.
   */
  close(): void {
    const object = this.#object
    this.#object = undefined
    object?.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** The reference that `open()` takes. */
  toJSON(): { crossmem: Kind; name: string } {
    return { crossmem: this.crossmem, name: this.name }
  }
}
