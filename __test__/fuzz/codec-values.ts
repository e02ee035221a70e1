import { codecFor } from '../../src/codecs/codec.js'
import { describe } from '../contracts/describe.js'
import { randomValue } from '../helpers/random-values.js'

const codecs = [codecFor('msgpack'), codecFor('v8')]

/** Builds a value as the input says, which must come out of codecs as it went in. */
export function codecValues(input: Uint8Array): void {
  let at = 0
  const next = (below: number) => (((input[at++] ?? 0) << 8) | (input[at++] ?? 0)) % below
  const value = randomValue(next)
  const expected = describe(value)
  for (const codec of codecs) {
    const actual = describe(codec.decode(Uint8Array.from(codec.encode(value))))
    if (actual !== expected) throw new Error(`${codec.label}: ${actual} instead of ${expected}`)
  }
}
