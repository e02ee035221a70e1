/** A put on its way. */
interface Put {
  readonly message: Buffer
  /** Waits at the server for room. */
  wait(): Promise<void>
}

interface Queued extends Put {
  settle(outcome: Promise<void>): void
}

/** The most messages, and bytes, of one call. */
const MOST = 1000
const MOST_BYTES = 1 << 20

/**
 * Sends puts that come while a call is under way with the next call, all together. What there is no
 * room for waits at the server, in order, and so does all that comes meanwhile.
 */
export class PutBatches {
  readonly #send: (messages: readonly Buffer[]) => Promise<number>
  #queued: Queued[] = []
  #sending: Promise<void> | undefined
  #waiting = 0

  /** @param send puts what there is room for now, and returns how many that are */
  constructor(send: (messages: readonly Buffer[]) => Promise<number>) {
    this.#send = send
  }

  put(put: Put): Promise<void> {
    if (this.#waiting > 0) return this.#wait(put)
    return new Promise(resolve => {
      this.#queued.push({ ...put, settle: resolve })
      this.#sending ??= this.#sendAll().finally(() => {
        this.#sending = undefined
      })
    })
  }

  /** Resolves when all that was put until now has been sent. */
  async sent(): Promise<void> {
    await this.#sending
  }

  async #sendAll(): Promise<void> {
    while (this.#queued.length > 0) {
      const batch = this.#queued.splice(0, fitting(this.#queued))
      let put: number
      try {
        put = await this.#send(batch.map(({ message }) => message))
      } catch (error) {
        for (const { settle } of batch) settle(Promise.reject(error))
        continue
      }
      for (const { settle } of batch.slice(0, put)) settle(Promise.resolve())
      if (put === batch.length) continue
      // All begin to wait now, so that none overtakes another.
      for (const one of [...batch.slice(put), ...this.#queued.splice(0)]) one.settle(this.#wait(one))
    }
  }

  #wait(put: Put): Promise<void> {
    this.#waiting++
    return put.wait().finally(() => {
      this.#waiting--
    })
  }
}

function fitting(puts: readonly Queued[]): number {
  let bytes = 0
  let count = 0
  for (const { message } of puts) {
    bytes += message.length
    if (count > 0 && (count === MOST || bytes > MOST_BYTES)) break
    count++
  }
  return count
}
