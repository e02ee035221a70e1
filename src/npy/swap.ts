import type { Swapped } from '../nd/index.js'
import type { NpyHeader } from './header.js'

/** Turns the elements into the machine's own byte order, in place. */
export function toNative({ swapped, size, dataBytes }: NpyHeader, data: Uint8Array): void {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  swapParts(bytes, swapped, 0, size, dataBytes / Math.max(size, 1))
}

/** Swaps the same parts of things that lie side by side. */
function swapParts(
  bytes: Buffer,
  parts: readonly Swapped[],
  from: number,
  count: number,
  stride: number,
): void {
  for (const part of parts) {
    // Elements of one word after another are one long row of words.
    const isRow = 'size' in part && part.size * part.count === stride
    if (isRow) swapWords(bytes.subarray(from, from + count * stride), part.size)
    else for (let i = 0; i < count; i++) swapPart(bytes, part, from + i * stride + part.offset)
  }
}

function swapPart(bytes: Buffer, part: Swapped, at: number): void {
  if ('size' in part) swapWords(bytes.subarray(at, at + part.count * part.size), part.size)
  else swapParts(bytes, part.parts, at, part.count, part.stride)
}

function swapWords(bytes: Buffer, size: number): void {
  if (size === 2) bytes.swap16()
  else if (size === 4) bytes.swap32()
  else bytes.swap64()
}
