import type { Argument, Dial, Link } from './link.js'

/** What is used of a client of `ioredis` or `iovalkey`. */
export interface IoredisClient {
  duplicate(options: object): IoredisClient
  connect(): Promise<void>
  disconnect(): void
  callBuffer(command: string, ...args: Argument[]): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  on(event: string, listener: (...args: never[]) => void): unknown
}

/** A connection that is lost must not come back by itself, nor send anything a second time. */
const SETTINGS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: null,
  retryStrategy: () => null,
  reconnectOnError: null,
  // Scripts name channels and leases, which the client doesn't know to be keys.
  keyPrefix: '',
}

/** Connections as a client of `ioredis` or `iovalkey` has them. */
export const ioredisDial =
  (client: IoredisClient): Dial =>
  async () => {
    const own = client.duplicate(SETTINGS)
    let cause: unknown
    // Each call says itself that the connection is lost; only this event says why.
    own.on('error', (error: unknown) => {
      cause = error
    })
    try {
      await own.connect()
    } catch (error) {
      throw cause ?? error
    }
    return new IoredisLink(own)
  }

class IoredisLink implements Link {
  readonly #client: IoredisClient

  constructor(client: IoredisClient) {
    this.#client = client
  }

  send([command, ...args]: readonly Argument[]): Promise<unknown> {
    return this.#client.callBuffer(command as string, ...args)
  }

  async subscribe(channel: string, hear: (message: Buffer) => void): Promise<void> {
    this.#client.on('messageBuffer', (_channel: Buffer, message: Buffer) => hear(message))
    await this.#client.subscribe(channel)
  }

  onEnd(act: () => void): void {
    this.#client.on('close', act)
  }

  close(): void {
    this.#client.disconnect()
  }
}
