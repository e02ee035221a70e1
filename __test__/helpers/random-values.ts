import type { Below } from './random.js'

const texts = [
  '',
  'a',
  'id',
  'Zürich',
  '🦀',
  '\ud800',
  '__proto__',
  'constructor',
  'x'.repeat(40),
  'ü'.repeat(100),
]
const numbers = [
  0,
  -0,
  1,
  -1,
  63,
  64,
  127,
  128,
  300,
  70_000,
  2 ** 32,
  -(2 ** 31),
  2 ** 53,
  0.1,
  Number.NaN,
  -Infinity,
]

/** A value that structured clone knows; most are plain data. */
export function randomValue(next: Below, depth = 0, earlier: object[] = []): unknown {
  const pick = <Item>(items: readonly Item[]): Item => items[next(items.length)] as Item
  const inner = () => randomValue(next, depth + 1, earlier)
  const keep = <Kept extends object>(object: Kept): Kept => {
    earlier.push(object)
    return object
  }
  const leaves = [
    () => pick(texts.slice(0, 5)),
    () => pick(numbers.slice(2)),
    () => next(1000),
    () => pick([true, false, null, undefined]),
    () => BigInt(next(1000)) ** BigInt(next(30)),
    () => keep(new Date(next(2 ** 41) - 2 ** 40)),
    () => keep(Uint8Array.from({ length: next(20) }, () => next(256))),
    () => keep(Float64Array.from({ length: next(5) }, () => next(1000) / 7)),
  ]
  const rare = [
    () => pick(texts),
    () => pick(numbers),
    () => keep(/a+/gi),
    () => keep(Object(next(10))),
    () => keep(new BigInt64Array(next(4))),
    () => keep(Uint16Array.of(1, 2, 3).buffer),
    () => keep(new DataView(new ArrayBuffer(next(9)))),
    () => keep(Object.assign([next(9), 'b'], { total: next(9) })),
    () => keep(new RangeError(pick(texts.slice(0, 5)), { cause: inner() })),
    () => (earlier.length > 0 ? pick(earlier) : null),
  ]
  if (depth > 4 || next(3) === 0) return pick(next(12) === 0 ? rare : leaves)()
  const size = next(6)
  switch (next(12)) {
    case 0: {
      const map = keep(new Map())
      for (let i = 0; i < size; i++) map.set(inner(), inner())
      return map
    }
    case 1: {
      const set = keep(new Set())
      for (let i = 0; i < size; i++) set.add(inner())
      return set
    }
    case 2:
    case 3:
    case 4:
    case 5: {
      const array: unknown[] = keep([])
      for (let i = 0; i < size; i++) array[i + (next(50) === 0 ? 1 : 0)] = inner()
      return array
    }
    default: {
      const object = keep({})
      for (let i = 0; i < size; i++) {
        const key = next(20) === 0 ? pick(texts) : `k${next(8)}`
        Object.defineProperty(object, key, {
          value: inner(),
          enumerable: true,
          writable: true,
          configurable: true,
        })
      }
      return object
    }
  }
}

/** A copy with some bytes changed, cut off, inserted or moved. */
export function damaged(bytes: Uint8Array, next: Below): Uint8Array {
  const list = [...bytes]
  for (let changes = 1 + next(3); changes > 0; changes--) {
    const at = next(list.length + 1)
    switch (next(5)) {
      case 0:
        list[at] = next(256)
        break
      case 1:
        list[at] = ((list[at] ?? 0) ^ (1 << next(8))) & 0xff
        break
      case 2:
        list.splice(at)
        break
      case 3:
        list.splice(at, next(3), next(256), next(256))
        break
      case 4:
        list.splice(at, 0, ...list.slice(next(list.length + 1)))
    }
  }
  return Uint8Array.from(list)
}
