import type { BoundCodec, CodecInPlace, Memory } from '../../src/codecs/bind.js'
import { codecFor } from '../../src/codecs/codec.js'
import type { StructureList } from '../../src/codecs/structures.js'

/** More often than objects of the same names are seen before they get a structure. */
export const OFTEN = 10

/** A list of structures as a queue has it, in memory of this process. */
export class List implements StructureList {
  readonly all: Uint8Array[]
  readonly room: number

  constructor(all: Uint8Array[] = [], room = 64) {
    this.all = all
    this.room = room
  }

  add(bytes: Uint8Array): number | 'no room' | 'not now' {
    const known = this.all.findIndex(entry => Buffer.compare(entry, bytes) === 0)
    if (known >= 0) return known
    return this.all.length < this.room ? this.all.push(Uint8Array.from(bytes)) - 1 : 'no room'
  }

  entries(): Uint8Array[] {
    return this.all
  }
}

export const memory = (): Memory => ({ bytes: new Uint8Array(1 << 16).subarray(3), user: undefined })

/** The codec 'msgpack' as a queue uses it. */
export function inPlace(list: StructureList, onto: Memory): CodecInPlace<unknown> {
  const { withStructures } = codecFor<unknown>('msgpack')
  if (!withStructures) throw new Error("'msgpack' has no structures")
  return withStructures(list, onto)
}

/** A codec that writes a value so often that all its objects have structures, if they can. */
export function structured(): BoundCodec<unknown> {
  const { id, label } = codecFor('msgpack')
  const [list, onto] = [new List(), memory()]
  const [writer, reader] = [inPlace(list, onto), inPlace(list, onto)]
  return {
    id,
    label,
    encode: value => {
      for (let i = 1; i < OFTEN; i++) writer.write(value)
      const written = writer.write(value)
      return typeof written === 'number' ? onto.bytes.slice(0, written) : written.slice()
    },
    decode: message => {
      if (message.length > onto.bytes.length) return reader.decode(message)
      onto.bytes.set(message)
      return reader.read(0, message.length)
    },
  }
}
