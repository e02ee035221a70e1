import { CrossmemError } from '../errors.js'
import type { Segment } from '../objects/index.js'
import type { PoolHandle } from '../open.js'
import { PoolInbox } from '../queues/index.js'
import { dispose, type InspectionArguments, inspection, showAs } from '../util/index.js'
import { PoolCalls } from './calls.js'
import type { AnyModule } from './options.js'
import { Remote } from './remote.js'
import type { Request } from './requests.js'

/** What callers of `new PoolClient` don't have. */
const MAKER = Symbol('open')

/**
 * A pool of another process, or of another thread: what `open()` makes of a reference to a
 * {@link Pool}. Tasks run in the pool's workers. If the pool's process is gone, they reject with
 * ERR_PEER_DIED; if this process is gone, the pool cancels them. A client emits no events.
 *
 * @example
 * ```js
 * import { open, Pool } from 'crossmem'
 *
 * const module = new URL('data:text/javascript,export const square = n => n * n')
 * const pool = new Pool(module, { workers: 1 })
 * const client = open(pool.toJSON()) // in any process of the domain
 * console.log(await client.apply('square', [7])) // 49
 * client.close()
 * pool.close()
 * await pool.join()
 * ```
 */
export class PoolClient<Module extends object = AnyModule> extends PoolCalls<Module> implements PoolHandle {
  /** What marks a reference to a pool. */
  readonly crossmem = 'Pool'
  /** The pool's name in its domain. */
  readonly name: string
  readonly #remote: Remote

  /** @internal */
  private constructor(key: typeof MAKER, inbox: PoolInbox<Request>) {
    if (key !== MAKER)
      throw new CrossmemError('ERR_INVALID_ARG', 'make one with open(reference), not with new')
    super()
    this.name = inbox.name
    this.#remote = new Remote(inbox)
  }

  /** @internal */
  static attach(segment: Segment): PoolClient {
    return new PoolClient(MAKER, PoolInbox.attach<Request>(segment))
  }

  /**
   * Ends this client. Its tasks reject with ERR_CLOSED, and the pool cancels them. The pool goes
   * on. Calling it again does nothing.
   */
  close(): void {
    this.#remote.close()
  }

  /** Closes this client at the end of a `using` block. */
  [dispose](): void {
    this.close()
  }

  /** What is sent in its place. */
  toJSON(): { crossmem: 'Pool'; name: string } {
    return { crossmem: this.crossmem, name: this.name }
  }

  /** Shows the pool's name in `console.log`. */
  [inspection](...how: InspectionArguments): string {
    return showAs('PoolClient', { name: this.name }, ...how)
  }

  /** @internal */
  protected override get runner(): Remote {
    return this.#remote
  }
}
