import { CrossmemError } from '../errors.js'
import { nativeMessages } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'

/**
 * The chunks that a handle has of a queue: those with messages that were taken, and those to write
 * to.
 */
export class Holdings {
  readonly #object: SharedObject
  readonly #taken = new Set<number>()
  readonly #reserved = new Set<number>()

  constructor(object: SharedObject) {
    this.#object = object
  }

  took(chunk: number): void {
    this.#taken.add(chunk)
  }

  reserved(chunk: number): void {
    this.#reserved.add(chunk)
  }

  /** Frees the chunk of a message that was taken. */
  free(chunk: number): void {
    this.#giveBack(this.#taken, chunk)
    nativeMessages.freeMessage(this.#object.handle, chunk)
    this.#object.serveWaiters()
  }

  commit(chunk: number, length: number): void {
    this.#giveBack(this.#reserved, chunk)
    nativeMessages.commitMessage(this.#object.handle, chunk, length)
    this.#object.serveWaiters()
  }

  cancel(chunk: number): void {
    this.#giveBack(this.#reserved, chunk)
    nativeMessages.cancelMessage(this.#object.handle, chunk)
    this.#object.serveWaiters()
  }

  /** Gives up all chunks when the handle is closed, as if its process had died. */
  abandon(): void {
    const { handle } = this.#object
    for (const chunk of this.#taken) nativeMessages.abandonMessage(handle, chunk)
    for (const chunk of this.#reserved) nativeMessages.cancelMessage(handle, chunk)
    this.#taken.clear()
    this.#reserved.clear()
    this.#object.serveWaiters()
  }

  #giveBack(held: Set<number>, chunk: number): void {
    if (held.delete(chunk)) return
    throw new CrossmemError(
      'ERR_LOST_OWNERSHIP',
      `that message of "${this.#object.name}" was given back: its handle was closed`,
    )
  }
}
