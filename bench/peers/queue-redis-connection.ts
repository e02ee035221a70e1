import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export type Reply = number | string | Buffer | null | Reply[]

interface Waiting {
  resolve(reply: Reply): void
  reject(error: Error): void
}

/** As much of a Redis client as the bench needs: commands in, replies out, in order; without awaiting, a pipeline. */
export class RedisConnection {
  readonly #socket: Socket
  readonly #waiting: Waiting[] = []
  #rest: Buffer = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', chunk => this.#read(chunk))
  }

  static async open(path: string): Promise<RedisConnection> {
    const socket = connect(path)
    await once(socket, 'connect')
    return new RedisConnection(socket)
  }

  ask(...words: (string | Uint8Array)[]): Promise<Reply> {
    this.#socket.write(command(words))
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (let parsed = parse(this.#rest, at); parsed; parsed = parse(this.#rest, at)) {
      at = parsed.end
      const { resolve, reject } = this.#waiting.shift() as Waiting
      if (parsed.reply instanceof Error) reject(parsed.reply)
      else resolve(parsed.reply)
    }
    this.#rest = this.#rest.subarray(at)
  }
}

function command(words: (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${words.length}\r\n`)]
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word) : word
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, LINE_END)
  }
  return Buffer.concat(parts)
}

const LINE_END = Buffer.from('\r\n')

/** The reply that begins at `at` and where it ends; undefined if that isn't here yet. */
function parse(bytes: Buffer, at: number): { reply: Reply | Error; end: number } | undefined {
  const lineEnd = bytes.indexOf(LINE_END, at)
  if (lineEnd < 0) return undefined
  const [kind, text] = [bytes.toString('latin1', at, at + 1), bytes.toString('latin1', at + 1, lineEnd)]
  const [number, next] = [Number(text), lineEnd + 2]
  switch (kind) {
    case ':':
      return { reply: number, end: next }
    case '$':
      if (number < 0) return { reply: null, end: next }
      if (bytes.length < next + number + 2) return undefined
      return { reply: bytes.subarray(next, next + number), end: next + number + 2 }
    case '*':
      return number < 0 ? { reply: null, end: next } : parseArray(bytes, next, number)
    case '-':
      return { reply: new Error(text), end: next }
    default:
      return { reply: text, end: next }
  }
}

function parseArray(bytes: Buffer, at: number, length: number): { reply: Reply; end: number } | undefined {
  const replies: Reply[] = []
  for (let end = at; ; ) {
    if (replies.length === length) return { reply: replies, end }
    const parsed = parse(bytes, end)
    if (!parsed) return undefined
    replies.push(parsed.reply as Reply)
    end = parsed.end
  }
}
