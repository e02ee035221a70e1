import { codecFor } from '../../src/codecs/codec.js'
import { describe } from '../contracts/describe.js'
import { refusedOr } from './oracle.js'

const msgpack = codecFor('msgpack')
const codecs = [msgpack, codecFor('v8'), codecFor('json')]

/**
 * Decodes what follows the first byte, which says by which codec. What comes of it can travel on.
 */
export function codecInput(input: Uint8Array): void {
  const codec = codecs[(input[0] ?? 0) % codecs.length] as (typeof codecs)[number]
  const message = Uint8Array.from(input.subarray(1))
  const before = Buffer.from(message)
  const decoded = refusedOr(() => [codec.decode(message)])
  if (!before.equals(message)) throw new Error('decoding changed the message')
  if (!decoded) return
  const again = refusedOr(() => Uint8Array.from(codec.encode(decoded[0])))
  if (again) {
    const back = codec.decode(again)
    if (codec === msgpack && describe(back) !== describe(decoded[0])) throw new Error('it came back changed')
  } else if (codec === msgpack) throw new Error('what was decoded was refused')
}
