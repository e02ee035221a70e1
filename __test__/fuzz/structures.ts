import { describe } from '../contracts/describe.js'
import { inPlace, List, memory } from '../contracts/structured.js'
import { refusedOr } from './oracle.js'

/**
 * Decodes a message by a list of structures. An input is: how many bytes the first entry has, the
 * entry, the same for a second one, the message.
 */
export function structures(input: Uint8Array): void {
  const entries: Uint8Array[] = []
  let at = 0
  while (entries.length < 2) {
    const length = input[at] ?? 0
    entries.push(input.slice(at + 1, at + 1 + length))
    at += 1 + length
  }
  const onto = memory()
  const message = input.slice(at)
  const decoded = refusedOr(() => {
    const reader = inPlace(new List(entries), onto)
    onto.bytes.set(message)
    const there = reader.read(0, message.length)
    if (describe(reader.decode(message)) !== describe(there)) throw new Error('two values of one message')
    return [there]
  })
  if (!decoded) return
  const codec = inPlace(new List(entries.slice(0, 1)), onto)
  for (let i = 0; i < 20; i++) {
    const length = refusedOr(() => codec.write(decoded[0]))
    if (typeof length !== 'number') continue
    const back = refusedOr(() => [codec.read(0, length)])
    if (back && describe(back[0]) !== describe(decoded[0])) throw new Error('it came back changed')
  }
}
