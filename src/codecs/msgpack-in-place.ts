import { type CodecInPlace, cannotSend, type Memory, notWritten } from './bind.js'
import { decodeMsgpack, encodeMsgpack } from './msgpack.js'
import { MsgpackReader } from './msgpack-reader.js'
import { MsgpackWriter } from './msgpack-writer.js'
import { type StructureList, Structures } from './structures.js'

const writers = new WeakMap<Memory, MsgpackWriter>()

/** The queues of a memory have one writer. */
function writerTo(memory: Memory): MsgpackWriter {
  const writer = writers.get(memory) ?? new MsgpackWriter(memory.bytes)
  writers.set(memory, writer)
  return writer
}

/** The codec 'msgpack' for a queue: with structures, and without copies. */
export class MsgpackInPlace implements CodecInPlace<unknown> {
  readonly #memory: Memory
  readonly #structures: Structures
  readonly #writer: MsgpackWriter
  readonly #reader = new MsgpackReader()
  readonly #label: string

  constructor(label: string, list: StructureList, memory: Memory) {
    this.#label = label
    this.#memory = memory
    this.#structures = new Structures(list)
    this.#writer = writerTo(memory)
    this.#reader.open(memory.bytes, this.#structures)
  }

  write(value: unknown): number | Uint8Array {
    const writer = this.#begin()
    if (!writer) return this.#encode(value)
    try {
      const end = writer.write(value)
      return writer.isAtHome ? end : writer.written
    } catch (cause) {
      throw cannotSend(value, cause, encodeMsgpack)
    } finally {
      this.#end()
    }
  }

  writeMany(values: readonly unknown[]): { ends: number[]; bytes?: Uint8Array } {
    const onMemory = this.#begin()
    const writer = onMemory ?? new MsgpackWriter()
    if (!onMemory) writer.begin(this.#structures)
    const ends: number[] = []
    let at = 0
    try {
      for (; at < values.length; at++) ends.push(writer.write(values[at]))
      return onMemory?.isAtHome ? { ends } : { ends, bytes: writer.written }
    } catch (cause) {
      throw cannotSend(values[at], cause, encodeMsgpack)
    } finally {
      if (onMemory) this.#end()
    }
  }

  /**
   * Returns the writer to the memory, unless it or the memory is in use: a getter of a value that
   * is being written may have called.
   */
  #begin(): MsgpackWriter | undefined {
    const writer = this.#writer
    if (writer.isBusy || this.#memory.user) return undefined
    this.#memory.user = writer
    writer.begin(this.#structures)
    return writer
  }

  #end(): void {
    this.#memory.user = undefined
    this.#writer.end()
  }

  #encode(value: unknown): Uint8Array {
    try {
      return encodeMsgpack(value, this.#structures)
    } catch (cause) {
      throw cannotSend(value, cause, encodeMsgpack)
    }
  }

  read(start: number, end: number): unknown {
    try {
      return this.#reader.read(start, end)
    } catch (cause) {
      throw notWritten(end - start, this.#label, cause)
    }
  }

  decode(bytes: Uint8Array): unknown {
    try {
      return decodeMsgpack(bytes, this.#structures)
    } catch (cause) {
      throw notWritten(bytes.length, this.#label, cause)
    }
  }
}
