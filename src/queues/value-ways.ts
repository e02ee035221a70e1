import type { BoundCodec, StructureList } from '../codecs/index.js'
import { decoded, decodedInPlace, encoded, type Packing, Strip, type Unpacking } from '../messages/index.js'
import { nativeQueues, pad, structureAnswers } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'

const { NO_ROOM, NOT_NOW } = structureAnswers

/** How the values of a queue become messages, and messages values. */
interface Ways<T> {
  packing: Packing<T>
  unpacking: Unpacking<T, unknown>
  /** Makes a value of bytes. */
  decode(message: Uint8Array): T
}

/** With structures, messages are written and read where they lie; other codecs get copies. */
export function waysOf<T>({ withStructures, encode, decode }: BoundCodec<T>, object: SharedObject): Ways<T> {
  if (!withStructures) return { packing: encoded(encode), unpacking: decoded(decode), decode } as Ways<T>
  const inPlace = withStructures(structuresOf(object), pad)
  const { bytes } = pad
  return {
    packing: {
      pack: value => inPlace.write(value),
      packMany: values => {
        const written = inPlace.writeMany(values)
        return new Strip(written.ends, written.bytes)
      },
      keep: message => (typeof message === 'number' ? bytes.slice(0, message) : new Uint8Array(message)),
    },
    unpacking: decodedInPlace(
      (start, end) => inPlace.read(start, end),
      message => inPlace.decode(message),
    ) as Unpacking<T, unknown>,
    decode: message => inPlace.decode(message),
  }
}

const structuresOf = ({ handle }: SharedObject): StructureList => ({
  add: entry => {
    const answer = nativeQueues.addStructure(handle, entry)
    if (answer === NO_ROOM) return 'no room'
    return answer === NOT_NOW ? 'not now' : answer
  },
  entries: () => nativeQueues.structures(handle),
})
