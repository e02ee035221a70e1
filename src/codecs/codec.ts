import { types } from 'node:util'
import { CrossmemError } from '../errors.js'
import { show } from '../util/index.js'
import { type BoundCodec, bind } from './bind.js'
import { decodeJson, encodeJson, stringify } from './json.js'
import { decodeMsgpack, encodeMsgpack } from './msgpack.js'
import { MsgpackInPlace } from './msgpack-in-place.js'
import { decodeV8, encodeV8 } from './v8.js'

export type { BoundCodec } from './bind.js'

/**
 * A codec of your own, for values that the built-in codecs can't carry.
 */
export interface Codec<T = unknown> {
  /** If a codec has a name, both ends must use a codec of that name. */
  name?: string
  /** Makes bytes of a value. They are copied before the next call. */
  encode(value: T): Uint8Array
  /** Makes a value of bytes. The bytes are a copy of their own, so the value may show them. */
  decode(bytes: Uint8Array): T
}

/**
 * How values become bytes.
 *
 * - `'msgpack'`: every value that structured clone knows; plain data as MessagePack, the rest in
 *   an extension of it. Node, Bun and Deno read each other's messages, whatever their versions.
 * - `'v8'`: the same values, as the runtime's own `serialize` writes them. It doesn't cross
 *   versions: a reader with another V8 may refuse a message, or get another value.
 * - `'json'`: as `JSON.stringify`, for messages that other languages read.
 * - a {@link Codec} of your own
 *
 * With a built-in codec, a handle of crossmem travels as the reference that `open()` takes.
 */
export type CodecOption<T> = 'msgpack' | 'v8' | 'json' | Codec<T>

/** The number of a custom codec without a name. Those with a name have higher numbers. */
const UNNAMED = 16

const builtIn = {
  msgpack: bind({
    id: 1,
    label: "'msgpack'",
    encode: encodeMsgpack,
    decode: decodeMsgpack,
    probe: encodeMsgpack,
    withStructures: (list, memory) => new MsgpackInPlace("'msgpack'", list, memory),
  }),
  v8: bind({ id: 2, label: "'v8'", encode: encodeV8, decode: decodeV8, probe: encodeV8 }),
  json: bind({ id: 3, label: "'json'", encode: encodeJson, decode: decodeJson, probe: stringify }),
}

/**
 * Returns the codec that an option names. Default: 'msgpack'.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG
 * @internal
 */
export function codecFor<T>(option: CodecOption<T> = 'msgpack'): BoundCodec<T> {
  if (typeof option === 'object' && option !== null) return bindCustom(option)
  if (Object.hasOwn(builtIn, option)) return builtIn[option] as BoundCodec<T>
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    `codec is 'msgpack', 'v8', 'json', or an object with encode() and decode(), not ${show(option)}`,
  )
}

/**
 * Returns the codec of an object that exists.
 *
 * @param id the number in the object's header
 * @param option the codec that the caller passed; a built-in codec need not be passed
 * @param name the object's name, for error messages
 * @throws {CrossmemError} ERR_INVALID_ARG (another codec, or a custom one that is not given),
 *   ERR_UNSUPPORTED (none that this version knows)
 * @internal
 */
export function codecOf<T>(id: number, option: CodecOption<T> | undefined, name: string): BoundCodec<T> {
  const found = Object.values(builtIn).find(codec => codec.id === id) as BoundCodec<T> | undefined
  if (!found && !(id >= UNNAMED)) {
    throw new CrossmemError(
      'ERR_UNSUPPORTED',
      `"${name}" has a codec that this version of crossmem doesn't know (${id}); update it`,
    )
  }
  const given = option === undefined ? found : codecFor(option)
  if (given?.id === id) return given
  const custom = id === UNNAMED ? 'a custom one without a name' : 'a custom one with a name of its own'
  const mismatch = `${found?.label ?? custom}${given ? `, not ${given.label}` : ''}`
  const advice = found ? 'that, or none' : 'the one it was created with'
  throw new CrossmemError('ERR_INVALID_ARG', `the codec of "${name}" is ${mismatch}; pass ${advice}`)
}

function bindCustom<T>(codec: Codec<T>): BoundCodec<T> {
  const { name } = codec
  if (typeof codec.encode !== 'function' || typeof codec.decode !== 'function') {
    throw new CrossmemError('ERR_INVALID_ARG', 'a codec is an object with encode() and decode()')
  }
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new CrossmemError('ERR_INVALID_ARG', 'the name of a codec is a string that is not empty')
  }
  return bind({
    id: name === undefined ? UNNAMED : hash(name),
    label: name === undefined ? 'a custom one without a name' : `the custom one "${name}"`,
    encode: (value: T) => {
      const bytes = codec.encode(value)
      if (types.isUint8Array(bytes)) return bytes
      throw new TypeError('encode() of a codec returns a Uint8Array')
    },
    decode: bytes => codec.decode(new Uint8Array(bytes)),
  })
}

/** The number of a custom codec with a name: 48 bits, different from those of all other kinds. */
function hash(name: string): number {
  // Loaded here, since few codecs have a name.
  const { createHash } = require('node:crypto') as typeof import('node:crypto')
  return Math.max(UNNAMED + 1, createHash('sha256').update(name).digest().readUIntBE(0, 6))
}
