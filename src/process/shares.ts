import type { Piece } from '../codecs/index.js'
import { CrossmemError, hasCode } from '../errors.js'
import { shared } from '../native/index.js'
import { Segment } from '../objects/index.js'
import { isArrayBuffer, show } from '../util/index.js'
import { dropSpares, keepSpare, refillSpare } from './spares.js'

// Large memory of a value travels in segments, one for each piece: the sender copies it there, the
// receiver gets buffers over them. So each piece goes when its buffer has been collected.
//
// | the last step of the process that dies | what others see | repaired by |
// | --- | --- | --- |
// | sender: created a segment | a dead agent, the only one that has it open | any sweep |
// | sender: another agent has it open, too | nothing | no repair is needed |
// | sender: before the receiver opened it, and no other agent has it | the receiver: no such object, ERR_PEER_DIED | any sweep |
// | receiver: opened a segment | a dead agent, beside the sender until that releases it | any sweep |

const KIND = 'SharedMemory'

/** From so many bytes on, memory travels in shared memory. */
export const LARGE = 1 << 16

/** What the message says of a piece. */
export type Place = [name: string, number: number, start: number, end: number]

export const isPlace = (value: unknown): value is Place =>
  Array.isArray(value) &&
  value.length === 4 &&
  typeof value[0] === 'string' &&
  value.slice(1).every(Number.isSafeInteger)

/** What has arrived here, by the buffer over it, for all copies of this package. */
const arrived = shared('arrivals', () => new WeakMap<ArrayBufferLike, Segment>())

/** What `move` was called for. */
const moving = shared('moves', () => new WeakSet<ArrayBufferLike>())

/**
 * Lets memory move: when a value that shows it is sent to another process, this process loses it,
 * as by `transfer()`. What came from another process then goes on without a copy; any other memory
 * is copied once.
 *
 * @param memory a typed array, a Buffer, a DataView or an ArrayBuffer
 * @returns the same
 * @throws {CrossmemError} ERR_INVALID_ARG
 */
export function move<Memory extends ArrayBufferLike | ArrayBufferView>(memory: Memory): Memory {
  moving.add(bufferOf(memory))
  return memory
}

/**
 * Gives memory back now that came from another process in an argument or a result. Its ArrayBuffer
 * is detached, so all views of it are empty. Without this call it is given back when the garbage
 * collector finds that nothing shows it any more. Of other memory, or when it is called again, it
 * does nothing.
 *
 * @param memory a typed array, a Buffer, a DataView or an ArrayBuffer
 * @throws {CrossmemError} ERR_INVALID_ARG
 */
export function release(memory: ArrayBufferLike | ArrayBufferView): void {
  const buffer = bufferOf(memory)
  // If it was transferred, another ArrayBuffer shows the memory.
  if (buffer.byteLength > 0) arrived.get(buffer)?.close()
  arrived.delete(buffer)
}

function bufferOf(memory: unknown): ArrayBufferLike {
  if (ArrayBuffer.isView(memory)) return memory.buffer
  if (isArrayBuffer(memory)) return memory
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    `memory is a typed array, a Buffer, a DataView or an ArrayBuffer, not ${show(memory)}`,
  )
}

/** Pieces in shared memory, on their way. */
export interface Put {
  places: Place[]
  /** The receiver has opened them, or is dead. Calling it again does nothing. */
  giveBack(): void
}

/**
 * Puts pieces into shared memory.
 *
 * @throws {CrossmemError} as `Segment.create`: then none is there
 */
export function putApart(pieces: readonly Piece[]): Put {
  const filled: Segment[] = []
  const passedOn: Segment[] = []
  const places: Place[] = []
  const giveBack = (): void => {
    for (const segment of filled.splice(0)) keepSpare(segment)
    for (const segment of passedOn.splice(0)) segment.close()
  }
  const seen = new Set<Segment>()
  try {
    for (const { number, memory, start, end } of pieces) {
      const from = moving.has(memory) ? arrived.get(memory) : undefined
      if (!from) {
        const segment = fill(new Uint8Array(memory, start, end - start))
        filled.push(segment)
        places.push([segment.name, number, start, end])
      } else if (!seen.has(from)) {
        // All of it goes on, whichever parts are shown.
        seen.add(from)
        passedOn.push(Segment.open(from.name, KIND))
        places.push([from.name, number, 0, from.byteLength])
      }
    }
    return { places, giveBack }
  } catch (error) {
    giveBack()
    throw error
  }
}

function fill(contents: Uint8Array): Segment {
  const spare = refillSpare(contents)
  if (spare) return spare
  const byteLength = contents.length
  const create = (): Segment =>
    Segment.create({
      kind: KIND,
      byteLength,
      persist: false,
      hugePages: false,
      contents,
      contentsLength: byteLength,
    })
  try {
    return create()
  } catch (error) {
    if (dropSpares()) return create()
    throw error
  }
}

/** Takes from this process what `move` was called for. */
export function loseMoved(memories: Iterable<ArrayBufferLike>): void {
  for (const memory of memories) {
    if (!moving.delete(memory)) continue
    if (arrived.has(memory)) release(memory)
    else detach(memory)
  }
}

function detach(memory: ArrayBufferLike): void {
  try {
    structuredClone(memory, { transfer: [memory as ArrayBuffer] })
  } catch {
    // Node's pool of small Buffers, a WebAssembly memory or a SharedArrayBuffer stays.
  }
}

/**
 * Opens a piece that another process has put into shared memory. It is given back when its buffer
 * has been collected.
 *
 * @throws {CrossmemError} ERR_PEER_DIED: the sender was killed before. Else as `open()`
 */
export function openPlace([name, , start, end]: Place): ArrayBuffer {
  const segment = openSent(name)
  let buffer: ArrayBuffer
  if (segment.byteLength !== end - start) {
    segment.close()
    throw new CrossmemError('ERR_CORRUPT', `"${name}" has another length than the array that was sent`)
  }
  try {
    buffer = segment.buffer
  } catch (error) {
    try {
      if (!hasCode(error, 'ERR_NO_EXTERNAL_BUFFERS')) throw error
      return segment.copy()
    } finally {
      segment.close()
    }
  }
  segment.closeWithBuffer()
  arrived.set(buffer, segment)
  return buffer
}

function openSent(name: string): Segment {
  try {
    return Segment.open(name, KIND)
  } catch (cause) {
    if (!hasCode(cause, 'ERR_NOT_FOUND')) throw cause
    throw new CrossmemError(
      'ERR_PEER_DIED',
      'the process that sent a large array ended before the array had arrived',
      { cause },
    )
  }
}
