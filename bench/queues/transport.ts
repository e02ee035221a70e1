import type { Far } from './control.js'
import type { Parcel } from './messages.js'
import type { Order } from './order.js'

/** A way to send messages between two processes, or between two threads of one process. */
export interface Transport {
  near(largest: number, option?: string): Near | Promise<Near>
  far(data: unknown): End | Promise<End>
}

export interface Near {
  end: End
  /**
   * Starts a far end; called once if the transport has only one. The near end's messages go to the
   * first far end.
   */
  start(): Far | Promise<Far>
  version?: string
  /** Nanoseconds of CPU time of the other processes that carry the messages. */
  othersCpu?(): Promise<number>
  stop?(): void
}

/** One of the two ends. A call that blocks its thread returns no promise. */
export interface End {
  /** Returns a promise if the sender must wait before it sends the next parcel. */
  send(parcel: Parcel): unknown
  /** Passes each parcel that arrives to `take`, which returns true with the last one. */
  receive(order: Order, take: (parcel: Parcel) => boolean): Promise<void> | void
}

/** For transports that deliver messages by events: passes them to the current `receive`. */
export class Arrivals {
  #take: (parcel: Parcel) => boolean = () => {
    throw new Error('a message arrived before the end began to receive')
  }
  #done: () => void = () => {}

  arrived(parcel: Parcel): void {
    if (this.#take(parcel)) this.#done()
  }

  receive(take: (parcel: Parcel) => boolean): Promise<void> {
    return new Promise(done => {
      this.#take = take
      this.#done = done
    })
  }
}

/** The size of all rings whose size can be chosen: at least four of the largest messages. */
export const ringBytes = (largest: number): number => Math.max(1 << 20, 4 * (largest + 64))
