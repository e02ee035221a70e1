import { CrossmemError } from '../errors.js'
import { isUint8Array } from '../util/index.js'
import type { Link } from './link.js'
import { decode, encode } from './values.js'

// What a `RpcSession` of capnweb sends and receives, over a link. A message is a tree of arrays
// that begins with its kind. Of all that capnweb understands, a manager needs little, so the rest
// is refused here, before capnweb sees it.

/** What one side takes and what it has sent. */
export interface Rules {
  /** Whether the message is one that the other side may send now. */
  take(message: readonly unknown[]): boolean
  /** A message of so many bytes was sent. */
  sent?(message: readonly unknown[], bytes: number): void
}

const isId = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value)

const isBytes = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value[0] === 'bytes' && isUint8Array(value[1])

/**
 * What a manager takes from a client: a call of `call` or `wait` with bytes, the wish for its
 * result right behind it, and the end of a hold. What the client doesn't release is kept for it,
 * so there is a limit.
 */
export class RulesOfClients implements Rules {
  readonly #mostCalls: number
  readonly #mostBytes: number
  #calls = 0
  /** The number of the call whose result must be wished for next. */
  #pull: number | undefined
  /** Results that aren't released, with their bytes; 0 if they aren't sent. */
  readonly #results = new Map<number, number>()
  #bytes = 0

  constructor(mostCalls: number, mostBytes: number) {
    this.#mostCalls = mostCalls
    this.#mostBytes = mostBytes
  }

  take(message: readonly unknown[]): boolean {
    const [kind, first, second] = message
    if (this.#pull !== undefined) {
      const isPull = kind === 'pull' && message.length === 2 && first === this.#pull
      this.#pull = undefined
      return isPull
    }
    if (kind === 'push') {
      this.#pull = ++this.#calls
      this.#results.set(this.#pull, 0)
      return (
        message.length === 2 &&
        isCall(first) &&
        this.#results.size <= this.#mostCalls &&
        this.#bytes <= this.#mostBytes
      )
    }
    if (kind !== 'release' || message.length !== 3 || !isId(first) || !isId(second) || second < 1)
      return false
    // Numbers below 0 are holds, those above 0 results.
    if (first < 0) return true
    const bytes = this.#results.get(first)
    this.#bytes -= bytes ?? 0
    return this.#results.delete(first) && second === 1
  }

  sent([kind, id]: readonly unknown[], bytes: number): void {
    if (kind !== 'resolve' || !this.#results.has(id as number)) return
    this.#results.set(id as number, bytes)
    this.#bytes += bytes
  }
}

function isCall(expression: unknown): boolean {
  if (!Array.isArray(expression) || expression.length !== 4) return false
  const [kind, target, path, args] = expression as unknown[]
  return (
    kind === 'pipeline' &&
    target === 0 &&
    Array.isArray(path) &&
    path.length === 1 &&
    (path[0] === 'call' || path[0] === 'wait') &&
    Array.isArray(args) &&
    args.length === 1 &&
    isBytes(args[0])
  )
}

/** What a client takes from a manager: results, and numbers of holds in them. */
export const rulesOfManagers: Rules = {
  take: message => isResult(message),
}

function isResult(message: readonly unknown[]): boolean {
  const [kind, first, second] = message
  if (kind === 'reject') return isId(first)
  if (kind !== 'resolve' || message.length !== 3 || !isId(first)) return false
  // [[bytes, [[hold, hold …]]]]: capnweb puts arrays into arrays.
  const [list] = Array.isArray(second) ? (second as unknown[]) : []
  if (!Array.isArray(list) || list.length !== 2 || !isBytes(list[0])) return false
  const [holds] = Array.isArray(list[1]) ? (list[1] as unknown[]) : []
  return Array.isArray(holds) && holds.every(isExport)
}

const isExport = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value[0] === 'export' && isId(value[1]) && value[1] < 0

/** The messages of a session of capnweb, over a link. */
export class Transport {
  readonly encodingLevel = 'jsonCompatibleWithBytes'
  readonly #link: Link
  readonly #rules: Rules
  readonly #received: unknown[] = []
  #waiting: { resolve: (message: unknown) => void; reject: (error: Error) => void } | undefined
  #error: Error | undefined

  constructor(link: Link, rules: Rules) {
    this.#link = link
    this.#rules = rules
    void link.closed.then(why => this.#fail(new CrossmemError('ERR_PEER_DIED', why)))
    link.onMessage = bytes => this.#take(bytes)
  }

  send(message: unknown): number {
    const bytes = encode(message)
    this.#link.send(bytes)
    this.#rules.sent?.(message as unknown[], bytes.length)
    return bytes.length
  }

  /** A side that doesn't read what it asked for gets no more of its messages carried out. */
  async receive(): Promise<unknown> {
    for (let room = this.#link.drained(); room && !this.#error; room = this.#link.drained()) await room
    return this.#next()
  }

  #next(): unknown {
    if (this.#received.length > 0) return this.#received.shift()
    if (this.#error) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  abort(): void {
    this.#link.end()
  }

  #take(bytes: Uint8Array): void {
    if (this.#error) return
    const message = messageIn(bytes)
    if (message?.[0] === 'abort') {
      this.#fail(new CrossmemError('ERR_PEER_DIED', reasonIn(message[1])))
      this.#link.destroy()
    } else if (!message || !this.#rules.take(message)) {
      const why = 'what came is no message that this side takes'
      this.#fail(new CrossmemError('ERR_CORRUPT', why))
      this.#link.send(encode(['abort', why]))
      this.#link.end()
    } else if (this.#waiting) {
      this.#waiting.resolve(message)
      this.#waiting = undefined
    } else this.#received.push(message)
  }

  #fail(error: Error): void {
    this.#error ??= error
    this.#waiting?.reject(this.#error)
    this.#waiting = undefined
  }
}

function messageIn(bytes: Uint8Array): unknown[] | undefined {
  try {
    const message = decode(bytes)
    return Array.isArray(message) ? message : undefined
  } catch {
    return undefined
  }
}

/** Why the other side ended the connection: a text, or an error as capnweb writes it. */
function reasonIn(reason: unknown): string {
  const text: unknown = Array.isArray(reason) ? reason[2] : reason
  return typeof text === 'string' ? text.slice(0, 1000) : 'the other side ended the connection'
}
