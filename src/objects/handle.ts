import { CrossmemError } from '../errors.js'
import { nativeSegments } from '../native/index.js'
import { dispose, type InspectionArguments, inspection, readable, showAs } from '../util/index.js'
import { noteBirth } from './births.js'
import { checkMaker } from './create.js'
import type { Segment } from './segment.js'
import { SharedObject, type WaitKind } from './shared-object.js'

/**
 * What `console.log` shows of a handle, if its class has it. These read a field each; none waits
 * for a lock.
 */
const SHOWN = [
  'dtype',
  'length',
  'isLocked',
  'isSet',
  'max',
  'parties',
  'codec',
  'capacity',
  'size',
  'usedBytes',
  'isEnded',
]

/** What is shown without a getter, or where a getter may wait for a lock. */
const FACTS = new Set([
  'permits',
  'waiting',
  'isBroken',
  'isWriting',
  'readers',
  'usedBytes',
  'usedBytesTo0',
  'usedBytesTo1',
  'isEnded',
])

/** Base of the handles of locks, values and queues: a name, a reference to send, closing. */
export abstract class Handle<Kind extends string> implements Disposable {
  /**
   * The name of the class. `crossmem` and `name` are all that is sent to another process; `open()`
   * makes a handle there.
   */
  readonly crossmem: Kind
  /** The object's name in its domain. */
  readonly name: string
  #object: SharedObject | undefined

  /** @internal */
  protected constructor(segment: Segment, kind: Kind, waits: WaitKind) {
    checkMaker(segment, kind)
    noteBirth(this)
    this.crossmem = kind
    this.name = segment.name
    this.#object = SharedObject.attach(segment, waits)
  }

  /** @internal */
  protected get object(): SharedObject {
    if (this.#object) return this.#object
    throw new CrossmemError('ERR_CLOSED', `"${this.name}" was closed; open it again to use it`)
  }

  /** Runs `make` with the object. If it throws, the handle is closed. @internal */
  protected orClose<Made>(make: (object: SharedObject) => Made): Made {
    try {
      return make(this.object)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /**
   * Whether the object stays when no living process has it open.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  get persist(): boolean {
    return this.object.segment.persist
  }

  /**
   * Removes the name now. Processes that have the object open can go on using it; waits in other
   * processes fail with ERR_NOT_FOUND. Calling it again does nothing.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_PERMISSION
   */
  unlink(): void {
    this.object.segment.unlink()
  }

  /**
   * Closes this handle. With the last handle of this thread, pending waits here reject with
   * ERR_CLOSED, and a lock that is still held counts as left half-done: its next holder is told
   * `ownerDied`. The last process to close the object removes it unless it persists. Calling it
   * again does nothing.
   */
  close(): void {
    const object = this.#object
    this.#object = undefined
    object?.close()
  }

  /** Closes this handle at the end of a `using` block. */
  [dispose](): void {
    this.close()
  }

  /**
   * The reference that `open()` takes. `JSON.stringify`, `process.send` and `postMessage` send it
   * instead of the handle.
   */
  toJSON(): { crossmem: Kind; name: string } {
    return { crossmem: this.crossmem, name: this.name }
  }

  /** Shows class, name and state in `console.log`, or that the handle is closed. */
  [inspection](...how: InspectionArguments): string {
    const { name } = this
    const title = this.constructor.name
    if (this.#object === undefined) return showAs(`${title} (closed)`, { name }, ...how)
    return showAs(title, { name, ...this.state() }, ...how)
  }

  /** What `console.log` shows besides the name. @internal */
  protected state(): object {
    return { ...readable(this, SHOWN), ...factsOf(() => this.object.handle, FACTS) }
  }
}

/** The facts of these names about an open object, which are read without a lock. */
export function factsOf(handle: () => number, names: ReadonlySet<string>): object {
  try {
    const facts = Object.entries(nativeSegments.objectFacts(handle()))
    return Object.fromEntries(facts.filter(([name]) => names.has(name)))
  } catch {
    // What can't be read now is left out: showing an object must not fail.
    return {}
  }
}
