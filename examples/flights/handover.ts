import type { ChildProcess } from 'node:child_process'
import type { NDArray } from 'crossmem'
import { end, reply, start, tell } from './children.js'
import type { Delivery, Receipt } from './receiver.js'

/** How long one way of handing over took, from sending to the receiver's answer. */
export interface Handover {
  way: string
  bytes: number
  /** In milliseconds: the first time, and the best of all. */
  first: number
  best: number
}

export const ROUNDS = 3
/** With JSON only one of this many pieces is sent: all of it would take seconds and much memory. */
export const JSON_PIECES = 20

/**
 * Hands the same data to a waiting child in three ways. The child answers with the first and the
 * last value, which proves that it has the data. The first time includes joining the domain
 * (crossmem) or growing buffers (process.send). With JSON, the time includes the conversion of the
 * typed array to a plain array and back.
 */
export async function compareHandovers(
  flights: NDArray<'int32'>,
  values: Int32Array,
  signal: AbortSignal,
): Promise<Handover[]> {
  const piece = values.subarray(0, values.length / JSON_PIECES)
  const advanced = start('receiver', 'advanced')
  const json = start('receiver', 'json')
  try {
    await Promise.all([reply(advanced, signal), reply(json, signal)])
    return [
      await time('crossmem, by reference', advanced, values, () => ({ flights }), signal),
      await time("process.send, 'advanced'", advanced, values, () => ({ values }), signal),
      await time(
        `process.send, 'json' (1/${JSON_PIECES})`,
        json,
        piece,
        () => ({ values: Array.from(piece) }),
        signal,
      ),
    ]
  } finally {
    await end([advanced, json])
  }
}

async function time(
  way: string,
  child: ChildProcess,
  values: Int32Array,
  pack: () => Delivery,
  signal: AbortSignal,
): Promise<Handover> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = performance.now()
    tell(child, pack())
    const [first, last] = await reply<Receipt>(child, signal)
    times.push(performance.now() - before)
    if (first !== values[0] || last !== values[values.length - 1])
      throw new Error(`${way}: the receiver read ${first} and ${last}`)
  }
  return { way, bytes: values.byteLength, first: times[0] as number, best: Math.min(...times) }
}
