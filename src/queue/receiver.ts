import { hot } from '../native.js'
import type { SharedObject } from '../shared-object.js'
import type { SyncWaitOptions, WaitOptions } from '../wait.js'
import { TRY, type Wanted } from '../wait-queue.js'
import type { Holdings } from './holdings.js'
import { isDrained } from './inbox.js'
import { Message } from './message.js'
import { AGAIN_OR_MORE, ENDED, elsewhere, NOT_YET } from './pad.js'
import { copyTaken, MESSAGE } from './transport.js'

/** Takes messages that keep their place in the queue until they are released. */
export class Receiver<T> {
  readonly #object: SharedObject
  readonly #holdings: Holdings
  readonly #decode: (message: Uint8Array) => T

  constructor(object: SharedObject, holdings: Holdings, decode: (message: Uint8Array) => T) {
    this.#object = object
    this.#holdings = holdings
    this.#decode = decode
  }

  /** `undefined`: nothing is there now, or ever will be. */
  tryReceive(): Message<T> | undefined {
    const status = hot.takeMessage(this.#object.handle, TRY)
    return status === NOT_YET || status === ENDED ? undefined : this.#message(this.#copy())
  }

  async receive(options: WaitOptions | undefined): Promise<Message<T>> {
    return this.#message(await this.#object.wait(this.#wanted, options, MESSAGE))
  }

  receiveSync(options: SyncWaitOptions | undefined): Message<T> {
    return this.#message(this.#object.waitSync(this.#wanted, options, MESSAGE))
  }

  get #wanted(): Wanted<Taken> {
    return { attempt: how => this.#take(how), doing: `receiving from "${this.#object.name}"` }
  }

  #take(how: number): Taken | undefined {
    const status = hot.takeMessage(this.#object.handle, how)
    if (status === ENDED) throw isDrained(this.#object.name)
    return status === NOT_YET ? undefined : this.#copy()
  }

  #copy(): Taken {
    const [, , flags = 0, chunk = 0] = elsewhere
    const bytes = copyTaken(this.#object)
    this.#holdings.took(chunk)
    return { bytes, chunk, redelivered: (flags & AGAIN_OR_MORE) !== 0 }
  }

  /** Decodes outside of the wait: a codec is the user's code, and may use any queue. */
  #message({ bytes, chunk, redelivered }: Taken): Message<T> {
    try {
      return new Message(this.#holdings, chunk, this.#decode(bytes), redelivered)
    } catch (error) {
      // Nobody else could read it either.
      this.#holdings.free(chunk)
      throw error
    }
  }
}

interface Taken {
  bytes: Uint8Array
  chunk: number
  redelivered: boolean
}
