import '../helpers/domain.js'
import ava from 'ava'
import { Queue, Value } from 'crossmem'
import { poolFor } from './pools.js'

const test = ava.serial

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of source) all.push(one)
  return all
}

function* numbers(from: number, to: number): Generator<number> {
  for (let n = from; n < to; n++) yield n
}

async function* later<T>(source: Iterable<T>): AsyncGenerator<T> {
  for (const item of source) {
    await new Promise(setImmediate)
    yield item
  }
}

const squares = [...numbers(0, 100)].map(n => n * n)

test('imap yields the results of any source, in the order of its items', async t => {
  const pool = poolFor(t)
  t.deepEqual(await collect(pool.imap('square', numbers(0, 100))), squares)
  t.deepEqual(await collect(pool.imap('square', later(numbers(0, 100)))), squares)
  t.deepEqual(await collect(pool.imap('square', numbers(0, 100), { chunkSize: 7, buffer: 7 })), squares)
  t.deepEqual(await collect(pool.imap('square', [])), [])
})

test('if the order is no matter, results come as they are there', async t => {
  const pool = poolFor(t)
  const go = Value.create(null, 'int32')
  const results = pool.imap('until', [go, Value.create(null, 'int32', 1)], { ordered: false })
  const first = await results.next()
  t.truthy(first.value)
  go.set(1)
  t.is((await collect(results)).length, 1)
  const unordered = await collect(pool.imap('square', numbers(0, 100), { ordered: false }))
  t.deepEqual(
    unordered.sort((a, b) => a - b),
    squares,
  )
  go.close()
})

test('a source is pulled only as far as there is room', async t => {
  const pool = poolFor(t)
  let pulled = 0
  function* endless(): Generator<number> {
    for (;;) yield pulled++
  }
  let taken = 0
  for await (const result of pool.imap('square', endless(), { buffer: 5 })) {
    t.is(result, taken * taken)
    taken++
    t.true(pulled - taken <= 5)
    if (taken === 50) break
  }
  t.true(pulled <= 55)
})

test('if an item fails, the error tells what was pulled, and the source ends', async t => {
  const pool = poolFor(t)
  let hasEnded = false
  function* source(): Generator<number> {
    try {
      yield* numbers(0, 1000)
    } finally {
      hasEnded = true
    }
  }
  const results: number[] = []
  const error = (await t.throwsAsync(
    async () => {
      for await (const result of pool.imap('squareBut', source(), { buffer: 4 })) results.push(result)
    },
    { instanceOf: RangeError, message: 'not seven' },
  )) as Error & { pulled: number[] }
  t.deepEqual(results, squares.slice(0, 7))
  t.deepEqual(error.pulled, [7, 8, 9, 10])
  t.true(hasEnded)
})

test('an abort ends imap, and tells what was pulled', async t => {
  const pool = poolFor(t, { workers: 1 })
  const [begun, heard] = [Value.create(null, 'int32'), Queue.create(null)]
  const aborting = new AbortController()
  const results = pool.imap('until', [begun, begun, begun], { buffer: 2, signal: aborting.signal })
  const first = results.next()
  const reason = new Error('enough')
  aborting.abort(reason)
  t.is(await first.catch((error: unknown) => error), reason)
  t.is((reason as Error & { pulled: unknown[] }).pulled.length, 2)
  begun.set(1)
  t.is(await pool.apply('square', [3]), 9)
  for (const handle of [begun, heard]) handle.close()
})

test('an item that the source owes when imap fails is told when it comes', async t => {
  const pool = poolFor(t)
  let give: (n: number) => void = () => undefined
  const asked = new Promise<void>(resolve => {
    give = () => resolve()
  })
  async function* source(): AsyncGenerator<number> {
    yield 7
    await asked
    yield 8
  }
  const error = (await t.throwsAsync(collect(pool.imap('squareBut', source())))) as Error & {
    pulled: number[]
  }
  t.deepEqual(error.pulled, [7])
  give(8)
  while (error.pulled.length < 2) await new Promise(setImmediate)
  t.deepEqual(error.pulled, [7, 8])
})

test('a source that throws ends imap', async t => {
  const pool = poolFor(t)
  function* source(): Generator<number> {
    yield 1
    throw new TypeError('no more')
  }
  await t.throwsAsync(collect(pool.imap('square', source())), { instanceOf: TypeError })
  await t.throwsAsync(collect(pool.imap('square', 5 as never)), { code: 'ERR_INVALID_ARG' })
  await t.throwsAsync(collect(pool.imap('square', [], { buffer: 0 })), { code: 'ERR_INVALID_ARG' })
})
