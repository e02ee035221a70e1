import { hot } from '../native.js'
import type { SharedObject } from '../shared-object.js'
import type { SyncWaitOptions, WaitOptions } from '../wait.js'
import { TRY } from '../wait-queue.js'
import { isDrained } from './inbox.js'
import { Message } from './message.js'
import { AGAIN_OR_MORE, ENDED, elsewhere, NOT_YET } from './pad.js'
import { copyElsewhere, MESSAGE } from './transport.js'

/** Takes messages that keep their place in the queue until they are released. */
export class Receiver<T> {
  readonly #object: SharedObject
  readonly #read: (message: Uint8Array) => T

  constructor(object: SharedObject, read: (message: Uint8Array) => T) {
    this.#object = object
    this.#read = read
  }

  /** `undefined`: nothing is there now, or ever will be. */
  tryReceive(): Message<T> | undefined {
    const status = hot.takeMessage(this.#object.handle, TRY)
    return status === NOT_YET || status === ENDED ? undefined : this.#message()
  }

  receive(options: WaitOptions | undefined): Promise<Message<T>> {
    return this.#object.wait(
      { attempt: how => this.#take(how), doing: `receiving from "${this.#object.name}"` },
      options,
      MESSAGE,
    )
  }

  receiveSync(options: SyncWaitOptions | undefined): Message<T> {
    return this.#object.waitSync(
      { attempt: how => this.#take(how), doing: `receiving from "${this.#object.name}"` },
      options,
      MESSAGE,
    )
  }

  #take(how: number): Message<T> | undefined {
    const status = hot.takeMessage(this.#object.handle, how)
    if (status === ENDED) throw isDrained(this.#object.name)
    return status === NOT_YET ? undefined : this.#message()
  }

  #message(): Message<T> {
    const [, , flags = 0, chunk = 0] = elsewhere
    try {
      const value = this.#read(copyElsewhere(this.#object))
      return new Message(this.#object, chunk, value, (flags & AGAIN_OR_MORE) !== 0)
    } catch (error) {
      // Nobody else could read it either.
      hot.freeMessage(this.#object.handle, chunk)
      throw error
    }
  }
}
