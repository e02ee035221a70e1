import type { Argument, Dial, Link } from './link.js'

/** What is used of a client of `redis`, which is also `@redis/client`. */
export interface NodeRedisClient {
  readonly options?: { socket?: object }
  duplicate(options: object): NodeRedisClient
  connect(): Promise<unknown>
  destroy(): void
  readonly isOpen: boolean
  sendCommand(words: readonly Argument[], options: object): Promise<unknown>
  subscribe(channel: string, listener: (message: Buffer) => void, bufferMode: true): Promise<unknown>
  on(event: string, listener: (...args: never[]) => void): unknown
}

/** Strings of the server arrive as Buffers: 36 is their type, `RESP_TYPES.BLOB_STRING`. */
const AS_BUFFERS = { typeMapping: { 36: Buffer } }

/** Connections as a client of `redis` has them. */
export const nodeRedisDial =
  (client: NodeRedisClient): Dial =>
  async () => {
    const socket = { ...client.options?.socket, reconnectStrategy: false }
    const own = client.duplicate({ socket, disableOfflineQueue: true })
    const link = new NodeRedisLink(own)
    await own.connect()
    return link
  }

class NodeRedisLink implements Link {
  readonly #client: NodeRedisClient
  readonly #acts: (() => void)[] = []
  #hasEnded = false

  constructor(client: NodeRedisClient) {
    this.#client = client
    // Without a strategy to reconnect, any error is the end; a closed client tells 'end'.
    for (const event of ['error', 'end']) client.on(event, () => this.#end())
  }

  send(words: readonly Argument[]): Promise<unknown> {
    return this.#client.sendCommand(words, AS_BUFFERS)
  }

  async subscribe(channel: string, hear: (message: Buffer) => void): Promise<void> {
    await this.#client.subscribe(channel, hear, true)
  }

  onEnd(act: () => void): void {
    this.#acts.push(act)
  }

  close(): void {
    if (this.#client.isOpen) this.#client.destroy()
    this.#end()
  }

  #end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    for (const act of this.#acts) act()
  }
}
