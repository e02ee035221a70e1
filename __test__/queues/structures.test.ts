import '../helpers/domain.js'
import { fork } from 'node:child_process'
import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import ava from 'ava'
import { MpmcQueue, Pipe, Queue } from 'crossmem'
import { OFTEN } from '../contracts/structured.js'
import { unique } from '../helpers/domain.js'
import { fixture } from '../helpers/paths.js'
import { gone, message } from '../processes/children.js'

const test = ava.serial
const onLinux = process.platform === 'linux' ? test : test.skip

/** The bytes of a queue's structures, at the end of its segment: a mutex and a count, entries. */
const LIST = 8192
const USED = LIST - 136
const ENTRIES = LIST - 192

const order = (id: number) => ({ id, lines: [{ sku: `X-${id}`, n: 2 }], note: null, user: { name: 'Ada' } })
const orders = Array.from({ length: 3 * OFTEN }, (_, id) => order(id))

for (const [how, options, makesCode] of [
  ['by code that was made for them', [], true],
  ['where no code can be made of strings', ['--disallow-code-generation-from-strings'], false],
] as const) {
  test(`processes exchange objects of one shape ${how}`, async t => {
    using there = Queue.create(unique('q'))
    using back = Queue.create(unique('q'))
    const child = fork(fixture('queues/relay-objects'), [there.name, back.name], { execArgv: [...options] })
    t.is(await message(child), makesCode)
    for (const value of orders) {
      await there.put(value)
      t.deepEqual(await back.get(), value)
    }
    await there.putMany(orders)
    const came: unknown[] = []
    while (came.length < orders.length) came.push(...(await back.getMany(orders.length)))
    t.deepEqual(came, orders)
    t.deepEqual(
      came.map(value => Object.keys(value as object)),
      orders.map(Object.keys),
    )
    there.end()
    t.deepEqual(await gone(child), { code: 0, signal: null })
  })
}

test('a handle that was opened later reads objects of shapes that were known before', t => {
  using queue = Queue.create(unique('q'))
  queue.putManySync(orders)
  using other = Queue.open(queue.name)
  t.deepEqual(other.tryGetMany(100), orders)
  queue.putManySync(orders)
  using third = Queue.open(queue.name)
  t.deepEqual(third.tryGetMany(100), orders)
})

test('a getter of a value that is being put puts, gets and sends through others, and this one', t => {
  using queue = Queue.create(null)
  using bytes = MpmcQueue.create(null)
  const [near, far] = Pipe.create()
  const inner = (): unknown => {
    queue.putSync({ inner: 'x'.repeat(100) })
    queue.putManySync([1, { two: 2 }])
    bytes.pushSync(new Uint8Array(500).fill(7))
    near.sendSync({ piped: 'z'.repeat(200) })
    return [queue.getSync(), queue.tryGetMany(9), bytes.popSync().length, far.recvSync()]
  }
  const value = () => ({
    before: 'a'.repeat(300),
    get inner() {
      return inner()
    },
    after: 'b'.repeat(300),
  })
  const expected = {
    before: 'a'.repeat(300),
    inner: [{ inner: 'x'.repeat(100) }, [1, { two: 2 }], 500, { piped: 'z'.repeat(200) }],
    after: 'b'.repeat(300),
  }
  for (let i = 0; i < OFTEN; i++) {
    queue.putSync(value())
    t.deepEqual(queue.getSync(), expected)
    queue.putManySync([1, value(), 'last'])
    t.deepEqual(queue.tryGetMany(9), [1, expected, 'last'])
  }
  near.close()
  far.close()
})

test('what waits for room is put as it was, whatever happens to the pad meanwhile', async t => {
  using queue = Queue.create(null, { capacity: 2 })
  using other = Queue.create(null)
  const large = { large: 'x'.repeat(100_000) }
  const put = queue.putMany([...orders.slice(0, 5), large, ...orders.slice(5)])
  const single = queue.put({ single: 1 })
  other.putSync({ noise: 'n'.repeat(2000) })
  other.getSync()
  const came: unknown[] = []
  while (came.length < orders.length + 2) came.push(...(await queue.getMany(3)))
  await Promise.all([put, single])
  // The single one may come between the others.
  const isSingle = (value: unknown) => Object.hasOwn(value as object, 'single')
  t.deepEqual(came.filter(isSingle), [{ single: 1 }])
  t.deepEqual(
    came.filter(value => !isSingle(value)),
    [...orders.slice(0, 5), large, ...orders.slice(5)],
  )
})

test('undefined, and what can not be decoded, are told from no message', async t => {
  using queue = Queue.create(null)
  for (const value of [undefined, -1, -2, -3, null, 0, '', false]) {
    await queue.put(value)
    t.is(await queue.get(), value)
    const waiting = queue.get()
    await queue.put(value)
    t.is(await waiting, value)
    await queue.putMany([value, value])
    t.deepEqual(await queue.getMany(5), [value, value])
  }
})

onLinux('an overwritten list of structures is ERR_CORRUPT for those that read it, and for no others', t => {
  using queue = Queue.create(unique('q'))
  queue.putManySync(orders)
  t.deepEqual(queue.tryGetMany(100), orders)
  const path = `/dev/shm/${queue.name}`
  const end = statSync(path).size
  const file = openSync(path, 'r+')
  const overwrite = (at: number, bytes: Uint8Array) => writeSync(file, bytes, 0, bytes.length, end - at)
  const word = (number: number) => new Uint8Array(Uint32Array.of(number).buffer)
  for (const [at, bytes] of [
    [USED, word(0)],
    [USED, word(0xffff_ffff)],
    [ENTRIES, word(0xffff)],
    [ENTRIES - 4, Buffer.from('["__proto__"')],
    [ENTRIES - 4, Buffer.from('\xff\xff\xff', 'latin1')],
  ] as const) {
    const sound = new Uint8Array(LIST)
    const read = openSync(path, 'r')
    t.is(readSync(read, sound, 0, LIST, end - LIST), LIST)
    closeSync(read)
    queue.putSync(orders[0])
    queue.putSync({ unknown: 1 })
    overwrite(at, bytes)
    using fresh = Queue.open(queue.name)
    t.throws(() => fresh.tryGet(), { code: 'ERR_CORRUPT' })
    t.deepEqual(fresh.tryGet(), { unknown: 1 })
    // This handle has read the list before.
    queue.putSync(orders[1])
    t.deepEqual(queue.tryGet(), orders[1])
    t.is(({} as { polluted?: unknown }).polluted, undefined)
    overwrite(LIST, sound)
  }
  closeSync(file)
})
