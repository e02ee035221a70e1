import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { CrossmemError, type CrossmemErrorCode } from '../errors.js'
import { clearTimeout, setTimeout } from '../wait/index.js'
import type { Link } from './link.js'
import { type Limits, PROTOCOL, RPC } from './protocol.js'

// The first messages of a connection, as JSON, one each way in turn:
//
// | from | message |
// | --- | --- |
// | manager | its versions, which manager it is, a challenge, whether it wants a proof of the key |
// | client | its versions, a challenge, its proof |
// | manager | its proof, and what it allows; or why the client is refused |
//
// A proof is the HMAC-SHA-256, by the key, of who proves it and of both challenges. So the key is
// never sent, no proof can be used twice, and none of one side serves the other.

/** How long a message of the handshake may be, in bytes. */
export const MOST_BYTES = 2048

/** How many milliseconds a handshake may take. */
export const MOST_TIME = 5000

interface Hello {
  crossmem: 'manager'
  protocol: number
  rpc: string
  instance: string
  challenge: string
  wantsProof: boolean
}

interface Reply {
  protocol: number
  rpc: string
  pid: number
  challenge: string
  proof?: string | undefined
}

/** What a client learns of a manager. */
export interface Welcome {
  /** Which manager it is: each start of a server has an instance of its own. */
  instance: string
  pid: number
  limits: Limits
  proof?: string | undefined
}

interface Refusal {
  refused: CrossmemErrorCode
  message: string
}

const makeChallenge = (): string => randomBytes(32).toString('hex')

function proofOf(key: Uint8Array, side: 'manager' | 'client', hello: Hello, challenge: string): string {
  const text = JSON.stringify([side, hello.instance, hello.challenge, challenge])
  return createHmac('sha256', key).update(text).digest('hex')
}

/** Compares in a time that doesn't depend on where they differ. */
function isProof(given: unknown, right: string): boolean {
  if (typeof given !== 'string' || given.length !== right.length) return false
  return timingSafeEqual(
    Buffer.from(given.padEnd(right.length)).subarray(0, right.length),
    Buffer.from(right),
  )
}

/** What a server needs for its side of the handshake. */
export interface Greeter {
  instance: string
  limits: Limits
  /** `undefined`: who may open the socket may do all. */
  key: Uint8Array | undefined
  /** Why no further client is taken; `undefined` if one is. */
  refusal(): CrossmemError | undefined
}

/**
 * Greets a client, and resolves with its process ID when it may go on.
 *
 * @throws {CrossmemError} ERR_PERMISSION, ERR_UNSUPPORTED, ERR_LIMIT, ERR_CORRUPT: the client was
 *   refused. ERR_TIMEOUT, ERR_PEER_DIED: it said nothing, or went
 */
export async function greet(link: Link, { instance, limits, key, refusal }: Greeter): Promise<number> {
  const hello: Hello = {
    crossmem: 'manager',
    protocol: PROTOCOL,
    rpc: RPC,
    instance,
    challenge: makeChallenge(),
    wantsProof: key !== undefined,
  }
  const answer = next<Reply>(link)
  tell(link, hello)
  try {
    const reply = await answer
    checkVersions(reply, 'client')
    if (typeof reply.challenge !== 'string' || !/^[0-9a-f]{64}$/.test(reply.challenge)) {
      throw new CrossmemError('ERR_CORRUPT', 'the client sent no challenge')
    }
    if (key && !isProof(reply.proof, proofOf(key, 'client', hello, reply.challenge))) {
      throw new CrossmemError('ERR_PERMISSION', 'the client has another authkey')
    }
    const full = refusal()
    if (full) throw full
    const proof = key && proofOf(key, 'manager', hello, reply.challenge)
    link.limit(limits.maxMessageBytes)
    tell(link, { instance, pid: process.pid, limits, proof } satisfies Welcome)
    return Number.isSafeInteger(reply.pid) ? reply.pid : 0
  } catch (error) {
    const { code, message } = error as CrossmemError
    tell(link, { refused: code, message } satisfies Refusal)
    link.end()
    throw error
  }
}

/**
 * Introduces this process to a manager.
 *
 * @throws {CrossmemError} ERR_PERMISSION: the manager has another key, or wants one.
 *   ERR_UNSUPPORTED: it is of another version. ERR_LIMIT: it takes no more clients. ERR_TIMEOUT:
 *   it doesn't answer. ERR_PEER_DIED: it went. ERR_CORRUPT: it is no manager
 */
export async function introduce(link: Link, key: Uint8Array | undefined): Promise<Welcome> {
  try {
    const hello = await next<Hello>(link)
    if (hello.crossmem !== 'manager') throw new CrossmemError('ERR_CORRUPT', 'no manager of crossmem answers')
    checkVersions(hello, 'manager')
    if (hello.wantsProof && !key) {
      throw new CrossmemError('ERR_PERMISSION', 'this manager wants a key: pass it as "authkey"')
    }
    const challenge = makeChallenge()
    const answer = next<Welcome | Refusal>(link)
    const proof = key && proofOf(key, 'client', hello, challenge)
    tell(link, { protocol: PROTOCOL, rpc: RPC, pid: process.pid, challenge, proof } satisfies Reply)
    const welcome = await answer
    if ('refused' in welcome) {
      throw new CrossmemError(welcome.refused, `the manager refuses this client: ${welcome.message}`)
    }
    if (key && hello.wantsProof && !isProof(welcome.proof, proofOf(key, 'manager', hello, challenge))) {
      throw new CrossmemError('ERR_PERMISSION', 'what answers there does not know the authkey')
    }
    if (key && !hello.wantsProof && link.isRemote) {
      throw new CrossmemError('ERR_PERMISSION', 'what answers there proves no authkey')
    }
    link.limit(Number.POSITIVE_INFINITY)
    return welcome
  } catch (error) {
    link.destroy()
    throw error
  }
}

function tell(link: Link, message: object): void {
  link.send(Buffer.from(JSON.stringify(message)))
}

/** The next message. */
function next<T extends object>(link: Link): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new CrossmemError('ERR_TIMEOUT', `the other side said nothing for ${MOST_TIME} ms`))
    }, MOST_TIME)
    void link.closed.then(why => {
      clearTimeout(timer)
      reject(new CrossmemError('ERR_PEER_DIED', why))
    })
    link.onMessage = bytes => {
      clearTimeout(timer)
      link.onMessage = undefined
      try {
        resolve(parse(bytes) as T)
      } catch (cause) {
        reject(new CrossmemError('ERR_CORRUPT', 'what came is no message of a handshake', { cause }))
      }
    }
  })
}

function parse(bytes: Uint8Array): object {
  const message: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString())
  if (typeof message !== 'object' || message === null) throw new TypeError('it is no object')
  return message
}

function checkVersions({ protocol, rpc }: { protocol: number; rpc: string }, who: string): void {
  if (protocol === PROTOCOL && rpc === RPC) return
  throw new CrossmemError(
    'ERR_UNSUPPORTED',
    `the ${who} speaks version ${String(protocol)} with capnweb ${String(rpc)}, this process version ${PROTOCOL} with capnweb ${RPC}; use one version of crossmem on both sides`,
  )
}
