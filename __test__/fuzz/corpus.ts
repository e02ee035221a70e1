import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../helpers/paths.js'
import type { Below } from '../helpers/random.js'

const folder = join(root, '__test__', 'fuzz', 'corpus')

/** What a fuzzer kept for a target. */
export function corpusOf(target: string): Buffer[] {
  const inputs = join(folder, target)
  return readdirSync(inputs)
    .sort()
    .map(file => readFileSync(join(inputs, file)))
}

/** Numbers that parsers stumble over, little-endian. */
const mean = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]

/** One of these with some bytes changed, moved, left out, repeated, or taken from another one. */
export function vary(inputs: readonly Buffer[], below: Below): Buffer {
  const any = () => inputs[below(inputs.length)] as Buffer
  let input = Buffer.from(any())
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(input.length + 1)
    const end = at + below(16)
    const other = any()
    const from = below(other.length + 1)
    const piece = other.subarray(from, from + below(48))
    const number = Buffer.alloc(4)
    number.writeUInt32LE(mean[below(mean.length)] as number)
    const between = [
      piece,
      number.subarray(0, 1 << below(3)),
      Buffer.of(below(256)),
      Buffer.alloc(0),
      Buffer.of((input[at] ?? 0) ^ (1 << below(8))),
      input.subarray(at, end),
    ][below(6)] as Buffer
    const left = input.subarray(0, at)
    input = Buffer.concat([left, between, input.subarray([at, at + between.length, end][below(3)])])
  }
  return input.subarray(0, 4096)
}
