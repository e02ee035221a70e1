// What Python promises of imap and imap_unordered, promised by ours. Each test names the one in
// CPython's Lib/test/_test_multiprocessing.py that it follows.
import '../helpers/domain.js'
import ava, { type ExecutionContext } from 'ava'
import { Pool } from 'crossmem'
import { range } from '../contracts/queue-class.js'
import { fixture } from '../helpers/paths.js'

type Work = typeof import('../fixtures/pool/cpython.js')

const test = ava.serial

function poolFor(t: ExecutionContext): Pool<Work> {
  const pool = new Pool<Work>(fixture('pool/cpython'), { workers: 2 })
  t.teardown(() => pool.terminate())
  return pool
}

const squares = (length: number): number[] => range(length).map(x => x * x)

async function listOf<T>(source: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of source) list.push(item)
  return list
}

/** Yields so many numbers, and throws then. */
function* failing(count: number): Generator<number> {
  yield* range(count)
  throw new RangeError('say when')
}

const ascending = (a: number, b: number): number => a - b

// _TestPool.test_imap
test('imap yields results in the order of the items', async t => {
  const pool = poolFor(t)
  t.deepEqual(await listOf(pool.imap('square', range(10))), squares(10))
  const results = pool.imap('square', range(10))
  for (const expected of squares(10)) t.deepEqual(await results.next(), { value: expected, done: false })
  t.true((await results.next()).done)
  t.deepEqual(await listOf(pool.imap('square', range(1000))), squares(1000))
})

// _TestPool.test_imap_handle_iterable_exception
test('what a source throws comes behind the results of what it gave', async t => {
  const pool = poolFor(t)
  const none = pool.imap('square', failing(0))
  await t.throwsAsync(none.next(), { instanceOf: RangeError, message: 'say when' })
  const some = pool.imap('square', failing(3))
  for (const expected of squares(3)) t.is((await some.next()).value, expected)
  await t.throwsAsync(some.next(), { instanceOf: RangeError, message: 'say when' })
})

// _TestPool.test_imap_unordered
test('imap without an order yields all results', async t => {
  const pool = poolFor(t)
  for (const length of [10, 1000]) {
    const results = (await listOf(pool.imap('square', range(length), { ordered: false }))) as number[]
    t.deepEqual(results.sort(ascending), squares(length))
  }
})

// _TestPool.test_imap_unordered_handle_iterable_exception
test('what a source throws ends imap without an order, too', async t => {
  const pool = poolFor(t)
  const seen: unknown[] = []
  const read = async (): Promise<void> => {
    for await (const result of pool.imap('square', failing(10), { ordered: false })) seen.push(result)
  }
  await t.throwsAsync(read(), { instanceOf: RangeError, message: 'say when' })
  t.true(seen.every(result => squares(10).includes(result as number)))
  t.is(new Set(seen).size, seen.length)
})

// _TestPool.test_empty_iterable, test_context
test('no items have no results, and a pool that is terminated takes none', async t => {
  const pool = poolFor(t)
  t.deepEqual(await listOf(pool.imap('square', [])), [])
  t.deepEqual(await listOf(pool.imap('square', [], { ordered: false })), [])
  pool.terminate()
  await t.throwsAsync(listOf(pool.imap('square', range(10))), { code: 'ERR_CLOSED' })
})
