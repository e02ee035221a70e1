import type { Duplex } from 'node:stream'
import { type BoundCodec, codecFor } from '../codecs/index.js'

const codec: BoundCodec<unknown> = codecFor()

/** Bytes of the length that stands before each message. */
const HEAD = 8

/** Messages between a process and its parent, over a socket that both inherit. */
export class Channel<Sent, Received> {
  readonly #socket: Duplex
  /** What has arrived of messages that aren't whole. */
  #parts: Buffer[] = []
  #arrived = 0
  /** Bytes that are needed to go on. */
  #needed = HEAD
  /** Resolves when the other process has closed its end, and everything was received. */
  readonly closed: Promise<void>

  constructor(socket: Duplex, hear: (message: Received) => void) {
    this.#socket = socket
    this.closed = new Promise(resolve => void socket.once('close', () => resolve()))
    // The other process may have gone. Its end is told by `closed`.
    socket.on('error', () => undefined)
    socket.on('data', (part: Buffer) => this.#take(part, hear))
    socket.on('end', () => void socket.destroy())
  }

  /** Resolves when the system has the message, or the other process is gone. */
  send(message: Sent): Promise<void> {
    const bytes = codec.encode(message)
    const frame = Buffer.allocUnsafe(HEAD + bytes.length)
    frame.writeBigUInt64LE(BigInt(bytes.length))
    frame.set(bytes, HEAD)
    return new Promise(resolve => void this.#socket.write(frame, () => resolve()))
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Whether it keeps this process alive. */
  keep(keeps: boolean): void {
    const { ref, unref } = this.#socket as { ref?: () => void; unref?: () => void }
    ;(keeps ? ref : unref)?.call(this.#socket)
  }

  #take(part: Buffer, hear: (message: Received) => void): void {
    this.#parts.push(part)
    this.#arrived += part.length
    while (this.#arrived >= this.#needed) {
      const bytes = Buffer.concat(this.#parts)
      if (this.#needed === HEAD) this.#needed = HEAD + Number(bytes.readBigUInt64LE())
      const whole = bytes.length >= this.#needed
      const rest = whole ? bytes.subarray(this.#needed) : bytes
      this.#parts = [rest]
      this.#arrived = rest.length
      if (!whole) break
      const message = codec.decode(bytes.subarray(HEAD, this.#needed)) as Received
      this.#needed = HEAD
      hear(message)
    }
  }
}
