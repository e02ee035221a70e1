import { createHash } from 'node:crypto'
import { NDArray } from '../arrays/index.js'
import { CrossmemError, hasCode } from '../errors.js'
import { encodeNpyHeader } from '../npy/index.js'
import { bytesOf, show } from '../util/index.js'
import { locks } from '../web-locks/index.js'
import { type Home, RemoteObject } from './remote-object.js'
import { Script } from './script.js'
import type { Session } from './session.js'

// The contents of an array are a .npy file, whose SHA-256 is their address: `prefix:content:HASH`
// is a hash with their size, `prefix:content:HASH:I` are the chunks, and `…:names` the keys of the
// names that stand for them. Contents that no name stands for are removed with the last one.
//
// Chunks that are on their way expire, until a name is bound to all of them in one step. So what a
// process that dies in between has sent goes by itself.

/** How much is sent at once. */
const CHUNK = 1 << 20
/** How many chunks are on their way at once. */
const AT_ONCE = 4
/** Milliseconds for which chunks stay without a name. */
const UNBOUND = 3_600_000

const CONTENTS = `
local function leave(id)
  local content = PREFIX .. ':content:' .. id
  redis.call('SREM', content .. ':names', K)
  if redis.call('EXISTS', content .. ':names') == 1 then return end
  for i = 0, tonumber(redis.call('HGET', content, 'chunks') or 0) - 1 do redis.call('DEL', content .. ':' .. i) end
  redis.call('DEL', content)
end
`

/** Binds the name to contents that are there. Returns 0 if a chunk is missing. */
const bindScript = new Script(
  'takes memory',
  `${CONTENTS}
local id, bytes, chunks = ARGV[3], ARGV[4], tonumber(ARGV[5])
be('Array')
local content = PREFIX .. ':content:' .. id
local old = redis.call('HGET', K, 'content')
if redis.call('EXISTS', content) == 0 then
  for i = 0, chunks - 1 do
    if redis.call('EXISTS', content .. ':' .. i) == 0 then
      if not old then redis.call('DEL', K) end
      return 0
    end
  end
  for i = 0, chunks - 1 do redis.call('PERSIST', content .. ':' .. i) end
  redis.call('HSET', content, 'bytes', bytes, 'chunks', chunks)
end
redis.call('SADD', content .. ':names', K)
redis.call('HSET', K, 'content', id)
if old and old ~= id then leave(old) end
return 1`,
)

const findScript = new Script(
  'makes room',
  `
if redis.call('EXISTS', K) == 0 then return false end
be('Array')
local id = redis.call('HGET', K, 'content')
local found = redis.call('HMGET', PREFIX .. ':content:' .. id, 'bytes', 'chunks')
return { id, found[1] or '0', found[2] or '0' }`,
)

const removeScript = new Script(
  'makes room',
  `${CONTENTS}
if redis.call('EXISTS', K) == 0 then return 0 end
be('Array')
leave(redis.call('HGET', K, 'content'))
return redis.call('DEL', K)`,
)

/** Where an array is. */
export interface RemoteArrayInfo {
  /** The name at the server. */
  readonly name: string
  /** The SHA-256 of the array as a `.npy` file, in hexadecimal digits. */
  readonly sha256: string
  /** The bytes of that file. */
  readonly byteLength: number
}

/** One name of an array. */
class ArrayName extends RemoteObject {
  constructor(home: Home, name: string) {
    super(home, name, [])
  }

  async put(contents: Buffer): Promise<RemoteArrayInfo> {
    const sha256 = createHash('sha256').update(contents).digest('hex')
    const chunks = Math.ceil(contents.length / CHUNK)
    const args = [sha256, String(contents.length), String(chunks)]
    // Contents that are there need not be sent; those that are removed meanwhile are sent again.
    for (;;) {
      const session = await this.session()
      if ((await this.run(session, bindScript, args)) === 1) break
      await inTurn(chunks, async i => {
        const chunk = contents.subarray(i * CHUNK, (i + 1) * CHUNK)
        await session.command('SET', this.#chunk(sha256, i), chunk, 'PX', String(UNBOUND))
      })
    }
    return { name: this.name, sha256, byteLength: contents.length }
  }

  async open(): Promise<NDArray> {
    const session = await this.session()
    const found = (await this.run(session, findScript)) as [Buffer, Buffer, Buffer] | null
    if (!found) throw new CrossmemError('ERR_NOT_FOUND', `the server has no array "${this.name}"`)
    const [id, bytes, chunks] = found.map(String) as [string, string, string]
    const here = `far-${id}`
    return (
      openIfHere(here) ??
      // The others of this machine wait for one that fetches it, and find it then.
      locks.request(
        here,
        async () =>
          openIfHere(here) ??
          NDArray.from(here, await this.#fetch(session, id, Number(bytes), Number(chunks))),
      )
    )
  }

  async remove(): Promise<boolean> {
    return (await this.call(removeScript)) === 1
  }

  /** Fetches contents and checks them. They become an array when they are whole. */
  async #fetch(session: Session, id: string, byteLength: number, chunks: number): Promise<ArrayBuffer> {
    const broken = (what: string) =>
      new CrossmemError(
        'ERR_CORRUPT',
        `the array "${this.name}" is broken at the server: ${what}; put it again`,
      )
    if (!(byteLength > 0) || chunks !== Math.ceil(byteLength / CHUNK))
      throw broken('its size is missing or wrong')
    const contents = Buffer.from(new ArrayBuffer(byteLength))
    await inTurn(chunks, async i => {
      const chunk = (await session.command('GET', this.#chunk(id, i))) as Buffer | null
      const length = Math.min(CHUNK, byteLength - i * CHUNK)
      if (chunk?.length !== length) {
        throw broken(
          `chunk ${i + 1} of ${chunks} ${chunk ? `has ${chunk.length} bytes, not ${length}` : 'is missing'}`,
        )
      }
      contents.set(chunk, i * CHUNK)
    })
    const sha256 = createHash('sha256').update(contents).digest('hex')
    if (sha256 !== id) throw broken(`its SHA-256 is ${sha256}, not ${id}`)
    return contents.buffer
  }

  #chunk(id: string, i: number): string {
    return `${this.prefix}:content:${id}:${i}`
  }
}

/** Calls `act` for 0 to `count - 1`, some at a time. */
async function inTurn(count: number, act: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const run = async (): Promise<void> => {
    while (next < count) await act(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, run))
}

function openIfHere(name: string): NDArray | undefined {
  try {
    return NDArray.open(name)
  } catch (error) {
    if (hasCode(error, 'ERR_NOT_FOUND')) return undefined
    throw error
  }
}

/** Arrays at a server, each of which a machine fetches once. */
export class RemoteArrays {
  readonly #home: Home

  /** @internal */
  constructor(home: Home) {
    this.#home = home
  }

  /**
   * Copies an array to the server under a name. Contents that the server has already, under any
   * name, are not sent. A name that is taken stands for the new array from now on; arrays that are
   * open don't change.
   *
   * @throws {CrossmemError} ERR_INVALID_NAME, ERR_INVALID_ARG: an argument is refused.
   *   ERR_WRONG_KIND: the name is another object's. ERR_CLOSED, ERR_DISCONNECTED, ERR_READ_ONLY,
   *   ERR_PERMISSION, ERR_SERVER. ERR_NO_SPACE: the server has no memory left
   */
  async put(name: string, array: NDArray): Promise<RemoteArrayInfo> {
    if (!(array instanceof NDArray)) {
      throw new CrossmemError('ERR_INVALID_ARG', `the array is an NDArray, not ${show(array)}`)
    }
    const contents = Buffer.concat([encodeNpyHeader(array), bytesOf(array.data)])
    return this.#by(name, one => one.put(contents))
  }

  /**
   * Opens an array in the shared memory of this machine. The first process fetches it, checks its
   * SHA-256 and shares it; the others, and those that come while any process has it open, get the
   * same memory without a copy. Change it only if no other program reads it.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND: the server has no array of that name. ERR_CORRUPT: a
   *   chunk is missing or broken; nothing was opened. ERR_WRONG_KIND: the name is another object's.
   *   ERR_INVALID_NAME, ERR_CLOSED, ERR_DISCONNECTED, ERR_READ_ONLY, ERR_PERMISSION, ERR_SERVER.
   *   ERR_NO_SPACE, ERR_LIMIT: the memory of this machine is full
   */
  async open(name: string): Promise<NDArray> {
    return this.#by(name, one => one.open())
  }

  /**
   * Takes a name away from the server, and the contents if no other name stands for them. Arrays
   * that are open stay. Returns whether the name was there.
   *
   * @throws {CrossmemError} ERR_WRONG_KIND: the name is another object's. ERR_INVALID_NAME,
   *   ERR_CLOSED, ERR_DISCONNECTED, ERR_READ_ONLY, ERR_PERMISSION, ERR_SERVER
   */
  async remove(name: string): Promise<boolean> {
    return this.#by(name, one => one.remove())
  }

  async #by<Result>(name: string, act: (one: ArrayName) => Promise<Result>): Promise<Result> {
    const one = new ArrayName(this.#home, name)
    try {
      return await act(one)
    } finally {
      await one.close()
    }
  }
}
