import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { clearTimeout, setInterval, setTimeout } from '../wait/index.js'

/** A way for messages to another process: bytes each, in order. */
export interface Link {
  /** Whether the other process may be on another machine. */
  readonly isRemote: boolean
  /** Where the messages go. Those that arrive before it is set are kept. */
  onMessage: ((message: Uint8Array) => void) | undefined
  send(message: Uint8Array): void
  /** Sends what is on its way, and ends the connection. */
  end(): void
  /** Ends the connection at once. */
  destroy(): void
  /** Resolves with why, when no more messages come. */
  readonly closed: Promise<string>
  /** Whether it keeps this process alive. */
  keep(keeps: boolean): void
  /** From now on messages of so many bytes are taken. */
  limit(bytes: number): void
  /**
   * Resolves when the other process has taken what was sent, but for a bounded part; `undefined` if
   * that is so.
   */
  drained(): Promise<void> | undefined
}

/** Bytes of the length before each message. */
const HEAD = 4

/** With so many bytes that the other process hasn't taken, no more of its messages are read. */
const BACKLOG = 16 * 2 ** 20

/** Who waits until there is room. */
class Room {
  #promise: Promise<void> | undefined
  #resolve: () => void = () => undefined

  wait(): Promise<void> {
    this.#promise ??= new Promise(resolve => {
      this.#resolve = resolve
    })
    return this.#promise
  }

  isThere(): void {
    this.#promise = undefined
    this.#resolve()
  }
}

/** Messages over a Unix socket, or a named pipe of Windows. */
export class LocalLink implements Link {
  readonly isRemote = false
  readonly closed: Promise<string>
  readonly #socket: Socket
  #hear: ((message: Uint8Array) => void) | undefined
  #most: number
  /** What is sent at the end of this turn of the event loop, in one piece. */
  #out: Uint8Array[] = []
  #outBytes = 0
  readonly #room = new Room()
  /** What has arrived of messages that aren't whole. */
  #parts: Buffer[] = []
  #arrived = 0
  #needed = HEAD
  #why = 'the connection broke'

  constructor(socket: Socket, most: number) {
    this.#socket = socket
    this.#most = most
    this.closed = new Promise(resolve => {
      socket.once('close', () => {
        this.#room.isThere()
        resolve(this.#why)
      })
    })
    socket.on('error', error => {
      this.#why = error.message
    })
    socket.on('drain', () => {
      if (this.#hear) socket.resume()
      this.#room.isThere()
    })
    socket.on('end', () => socket.destroy())
    socket.on('data', (part: Buffer) => this.#take(part))
    socket.pause()
  }

  get onMessage(): ((message: Uint8Array) => void) | undefined {
    return this.#hear
  }

  set onMessage(hear: ((message: Uint8Array) => void) | undefined) {
    this.#hear = hear
    if (!hear) return
    this.#split(hear)
    this.#socket.resume()
  }

  limit(bytes: number): void {
    this.#most = bytes
  }

  keep(keeps: boolean): void {
    if (keeps) this.#socket.ref()
    else this.#socket.unref()
  }

  send(message: Uint8Array): void {
    const head = Buffer.allocUnsafe(HEAD)
    head.writeUInt32LE(message.length)
    this.#outBytes += message.length
    // Not a microtask: calls that other calls' results lead to go with them.
    if (this.#out.push(head, message) === 2) process.nextTick(() => this.#flush())
  }

  end(): void {
    this.#flush()
    this.#socket.destroySoon()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #flush(): void {
    const parts = this.#out
    this.#out = []
    this.#outBytes = 0
    if (parts.length === 0 || this.#socket.destroyed) return
    this.#socket.write(Buffer.concat(parts))
    if (this.#socket.writableLength > BACKLOG) this.#socket.pause()
    else this.#room.isThere()
  }

  drained(): Promise<void> | undefined {
    const isFull = this.#outBytes + this.#socket.writableLength > BACKLOG && !this.#socket.destroyed
    return isFull ? this.#room.wait() : undefined
  }

  #take(part: Buffer): void {
    this.#parts.push(part)
    this.#arrived += part.length
    if (this.#hear) this.#split(this.#hear)
    else if (this.#arrived > HEAD + this.#most) this.#refuse(this.#arrived)
  }

  /** Hands on what has arrived of whole messages. */
  #split(hear: (message: Uint8Array) => void): void {
    if (this.#arrived < this.#needed) return
    const bytes = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts)
    let at = 0
    this.#needed = HEAD
    // The one that hears may stop hearing, or end the connection.
    while (this.#hear === hear && !this.#socket.destroyed && bytes.length - at >= HEAD) {
      const length = bytes.readUInt32LE(at)
      if (length > this.#most) {
        this.#refuse(length)
        return
      }
      if (bytes.length - at < HEAD + length) {
        this.#needed = HEAD + length
        break
      }
      const message = bytes.subarray(at + HEAD, at + HEAD + length)
      at += HEAD + length
      hear(message)
    }
    this.#parts = at < bytes.length ? [bytes.subarray(at)] : []
    this.#arrived = bytes.length - at
  }

  #refuse(length: number): void {
    this.#why = `a message of ${length} bytes came, and at most ${this.#most} are allowed`
    this.#socket.destroy()
  }
}

/** Messages over a WebSocket. */
export class RemoteLink implements Link {
  readonly isRemote = true
  readonly closed: Promise<string>
  readonly #socket: WebSocket
  readonly #raw: { ref(): void; unref(): void; readonly bytesRead?: number }
  #hear: ((message: Uint8Array) => void) | undefined
  #early: Uint8Array[] = []
  #most: number
  #why = 'the connection broke'
  #heartbeat: NodeJS.Timeout | undefined
  readonly #room = new Room()

  /**
   * @param raw the socket below
   * @param heartbeat a peer from which nothing came for so many milliseconds counts as gone
   */
  constructor(
    socket: WebSocket,
    raw: { ref(): void; unref(): void; on(event: 'data', hear: () => void): unknown },
    most: number,
    heartbeat: number,
  ) {
    this.#socket = socket
    this.#raw = raw
    this.#most = most
    socket.binaryType = 'nodebuffer'
    this.closed = new Promise(resolve => {
      socket.once('close', (_code, reason) => {
        clearTimeout(this.#heartbeat)
        this.#room.isThere()
        resolve(reason.length > 0 ? reason.toString() : this.#why)
      })
    })
    socket.on('error', error => {
      this.#why = error.message
    })
    socket.on('message', (data, isBinary) => this.#take(data as Buffer, isBinary))
    this.#watch(raw, heartbeat)
  }

  get onMessage(): ((message: Uint8Array) => void) | undefined {
    return this.#hear
  }

  set onMessage(hear: ((message: Uint8Array) => void) | undefined) {
    this.#hear = hear
    while (this.#hear && this.#early.length > 0) this.#hear(this.#early.shift() as Uint8Array)
  }

  limit(bytes: number): void {
    this.#most = bytes
  }

  keep(keeps: boolean): void {
    if (keeps) this.#raw.ref()
    else this.#raw.unref()
  }

  send(message: Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#socket.send(message, () => {
      if (this.#socket.bufferedAmount > BACKLOG) return
      if (this.#socket.isPaused) this.#socket.resume()
      this.#room.isThere()
    })
    if (this.#socket.bufferedAmount > BACKLOG) this.#socket.pause()
  }

  drained(): Promise<void> | undefined {
    const isFull = this.#socket.bufferedAmount > BACKLOG && this.#socket.readyState === this.#socket.OPEN
    return isFull ? this.#room.wait() : undefined
  }

  end(): void {
    this.#socket.close(1000)
    setTimeout(() => this.#socket.terminate(), 1000).unref()
  }

  destroy(): void {
    this.#socket.terminate()
  }

  #take(data: Buffer, isBinary: boolean): void {
    // A message before its turn: the other side sends one, and waits for the answer.
    if (!this.#hear && this.#early.length > 0) this.#most = 0
    if (!isBinary || data.length > this.#most) {
      this.#why = isBinary
        ? `a message of ${data.length} bytes came, and at most ${this.#most} are allowed`
        : 'a message of text came, which no manager sends'
      this.#socket.terminate()
    } else if (this.#hear) this.#hear(data)
    else this.#early.push(data)
  }

  /** A link that was cut sends nothing, not even its end. */
  #watch(raw: { on(event: 'data', hear: () => void): unknown }, heartbeat: number): void {
    let isHeard = true
    raw.on('data', () => {
      isHeard = true
    })
    let silent = 0
    // Three pings within the time, since one may come late.
    this.#heartbeat = setInterval(() => {
      silent = isHeard ? 0 : silent + 1
      isHeard = false
      // A peer whose messages wait for us to read on is no silent one.
      if (this.#socket.isPaused) silent = 0
      if (silent >= 3) {
        this.#why = `nothing came for ${heartbeat} ms: the network is cut, or the other process is stopped`
        this.#socket.terminate()
      } else this.#socket.ping()
    }, heartbeat / 3)
    this.#heartbeat.unref()
  }
}
