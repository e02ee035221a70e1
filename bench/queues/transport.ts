import type { Far } from './control.js'
import type { Parcel } from './messages.js'
import type { Order } from './order.js'

/** A way to send messages between two processes, or two threads of one. */
export interface Transport {
  near(largest: number, option?: string): Near | Promise<Near>
  far(data: unknown): End | Promise<End>
}

export interface Near {
  end: End
  /** Starts another end. Where only one is possible, this is called once. What is sent goes to the first. */
  start(): Far | Promise<Far>
  version?: string
  /** Nanoseconds of CPU time that others have used who carry the messages. */
  othersCpu?(): Promise<number>
  stop?(): void
}

/** One of the two ends. What blocks its thread returns no promise. */
export interface End {
  /** A promise if there is something to wait for before the next one. */
  send(parcel: Parcel): Promise<unknown> | void
  /** Hands over all that comes, until `take` has had the last one. */
  receive(order: Order, take: (parcel: Parcel) => boolean): Promise<void> | void
}

/** For ends that hear by events what comes: hands it to whoever receives now. */
export class Arrivals {
  #take: (parcel: Parcel) => boolean = () => {
    throw new Error('a message came that nobody expects')
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

/** The size of every ring whose size one can choose: four of the largest messages at least. */
export const ringBytes = (largest: number): number => Math.max(1 << 20, 4 * (largest + 64))
