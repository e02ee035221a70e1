import test from 'ava'
import { behind, KeyBytes, keyBytes, type MapKey } from '../../src/map/keys.js'
import { random } from '../helpers/random.js'

const { writeKey, readKey } = new KeyBytes()

/** There and back, as LMDB has it written and read. */
function travel(key: MapKey): unknown {
  const target = Buffer.alloc(4000, 0xee)
  const end = writeKey(key, target, 7)
  return readKey(target, 7, end)
}

const written = (key: MapKey): Buffer => {
  const target = Buffer.alloc(4000)
  return target.subarray(0, writeKey(key, target, 0))
}

/** Numbers, then strings by code points, then lists part by part. */
function compare(a: MapKey, b: MapKey): number {
  const rank = (key: MapKey) => (typeof key === 'number' ? 0 : typeof key === 'string' ? 1 : 2)
  if (rank(a) !== rank(b)) return rank(a) - rank(b)
  if (typeof a === 'number' && typeof b === 'number') return Number(a > b) - Number(a < b)
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  const [as, bs] = [a as (string | number)[], b as (string | number)[]]
  for (let i = 0; i < Math.min(as.length, bs.length); i++) {
    const order = compare(as[i] as MapKey, bs[i] as MapKey)
    if (order !== 0) return order
  }
  return as.length - bs.length
}

const parts = [
  ...[0, 1, -1, 0.5, -0.5, 1e300, -1e300, 5e-324, Number.MAX_SAFE_INTEGER, Infinity, -Infinity],
  ...['', 'a', 'b', 'ab', 'a\0', 'a\0b', '\0', 'ÿ', 'é', '東', '🦀', 'x'.repeat(101), 'ü'.repeat(60)],
]

test('a key is read as it was written', t => {
  for (const key of [...parts, ...parts.map(part => [part]), [1, 'a', '', 2], ['a\0', 'b']]) {
    t.deepEqual(travel(key), key)
    t.deepEqual(written(key), keyBytes(key))
  }
  t.is(travel(-0), 0)
})

test('the order of the bytes is the order of the keys', t => {
  const below = random(17)
  const pick = () => parts[below(parts.length)] as string | number
  const key = (): MapKey => (below(5) < 2 ? pick() : Array.from({ length: 1 + below(3) }, pick))
  for (let i = 0; i < 20_000; i++) {
    const [a, b] = [key(), key()]
    const [expected, found] = [Math.sign(compare(a, b)), Buffer.compare(written(a), written(b))]
    if (expected !== found) t.fail(`${JSON.stringify(a)} and ${JSON.stringify(b)}`)
  }
  t.pass()
})

test('what lies behind a prefix is behind all that begin with it', t => {
  for (const prefix of [Buffer.of(0x20), Buffer.of(0x20, 0xff), Buffer.of(0x20, 0x61, 0xff, 0xff)]) {
    const end = behind(prefix)
    t.true(Buffer.compare(prefix, end) < 0)
    t.true(Buffer.compare(Buffer.concat([prefix, Buffer.alloc(50, 0xff)]), end) < 0)
    t.true(
      Buffer.compare(end, Buffer.concat([prefix.subarray(0, 1), Buffer.alloc(50, 0xff)])) <= 0 ||
        end.length === 1,
    )
  }
})

test('what is no key is refused', t => {
  for (const key of [undefined, null, true, {}, [], [[1]], [null], Number.NaN, '\ud800', ['\udc00'], 1n]) {
    t.throws(() => keyBytes(key), { code: 'ERR_INVALID_ARG', message: /^a key is a string/ })
  }
  t.is(keyBytes('x'.repeat(1977)).length, 1978)
  for (const key of ['x'.repeat(1978), 'ü'.repeat(1000), ['x'.repeat(1000), '\0'.repeat(600)]]) {
    t.throws(() => keyBytes(key), { code: 'ERR_TOO_LARGE', message: /at most 1978 bytes/ })
  }
})
