// What Python promises of multiprocessing.Pipe and Connection, promised by ours. Each test names
// the one in CPython's Lib/test/_test_multiprocessing.py that it follows.
import '../helpers/domain.js'
import ava from 'ava'
import { Pipe, type Reference } from 'crossmem'
import { range } from '../contracts/queue-class.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const words = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer)
const SENTINEL = bytes('')

for (const place of places) {
  // _TestConnection.test_connection
  test(`a connection echoes values and bytes, short and long: ${place}`, async t => {
    const [mine, yours] = Pipe.create<unknown>()
    const there = await startPeer(t, place)
    const far = await there.open(yours)
    const echo = await there.it('deeds').begin('echoBytes', far)
    const values = [1, 2.25, null]
    const message = bytes('hello world')
    const long = bytes('hello world'.repeat(10))
    const numbers = words(...range(4))
    await mine.send(values)
    t.deepEqual(await mine.recv(), values)
    await mine.sendBytes(message)
    t.deepEqual(await mine.recvBytes(), message)
    const room = new Int32Array(10)
    await mine.sendBytes(numbers)
    t.is(await mine.recvBytesInto(new Uint8Array(room.buffer)), 16)
    t.deepEqual([...room], [...range(4), 0, 0, 0, 0, 0, 0])
    room.fill(0)
    await mine.sendBytes(numbers)
    t.is(await mine.recvBytesInto(new Uint8Array(room.buffer).subarray(12)), 16)
    t.deepEqual([...room], [0, 0, 0, ...range(4), 0, 0, 0])
    await mine.sendBytes(long)
    const tooShort = await t.throwsAsync(mine.recvBytesInto(new Uint8Array(40)), { code: 'ERR_TOO_LARGE' })
    t.deepEqual(tooShort?.cause, long)
    t.deepEqual([mine.pollSync(), await mine.poll(1)], [false, false])
    await mine.send(null)
    t.true(await mine.poll(600_000))
    t.is(await mine.recv(), null)
    const huge = new Uint8Array(16 << 20).fill(88)
    await mine.sendBytes(huge)
    t.is(Buffer.compare(await mine.recvBytes(), huge), 0)
    await mine.sendBytes(SENTINEL)
    yours.close()
    await t.throwsAsync(mine.recv(), { code: 'ERR_ENDED' })
    await t.throwsAsync(mine.recvBytes(), { code: 'ERR_ENDED' })
    await echo.result
    mine.close()
  })
}

// _TestConnection.test_duplex_false
test('of a pipe of one direction, the first end receives and the second one sends', async t => {
  const [reader, writer] = Pipe.create<number>({ duplex: false })
  await writer.send(1)
  t.is(await reader.recv(), 1)
  for (const refused of [() => reader.send(2), () => writer.recv(), () => writer.poll()]) {
    await t.throwsAsync(refused(), { code: 'ERR_INVALID_ARG' })
  }
  reader.close()
  writer.close()
})

// _TestConnection.test_spawn_close
test('an end that was given away may be closed here at once', async t => {
  const [mine, yours] = Pipe.create<unknown>()
  const there = await startPeer(t, 'process')
  const opening = there.open(yours)
  yours.close()
  const echo = await there.it('deeds').begin('echoBytes', await opening)
  await mine.sendBytes(bytes('hello'))
  t.deepEqual(await mine.recvBytes(), bytes('hello'))
  await mine.sendBytes(SENTINEL)
  mine.close()
  await echo.result
  t.pass()
})

// _TestConnection.test_sendbytes: subarray is what its offset and size are.
test('parts of bytes are sent', async t => {
  const [a, b] = Pipe.create<never>()
  const alphabet = bytes('abcdefghijklmnopqrstuvwxyz')
  for (const [from, to] of [[0], [5], [7, 15], [26], [26, 26]] as [number, number?][]) {
    await a.sendBytes(alphabet.subarray(from, to))
    t.deepEqual(await b.recvBytes(), alphabet.slice(from, to))
  }
  a.close()
  b.close()
})

// _TestConnection.test_context
test('both ends are closed with their block', async t => {
  const ends = Pipe.create<number>()
  {
    using a = ends[0]
    using b = ends[1]
    a.sendSync(1729)
    t.is(b.recvSync(), 1729)
  }
  for (const end of ends) await t.throwsAsync(end.recv(), { code: 'ERR_CLOSED' })
})

// _TestPoll.test_empty_string
test('a message without bytes is one', async t => {
  const [a, b] = Pipe.create<never>()
  t.false(await a.poll())
  b.sendBytesSync(SENTINEL)
  t.deepEqual([await a.poll(), await a.poll(), a.pollSync()], [true, true, true])
  t.deepEqual(await a.recvBytes(), SENTINEL)
  a.close()
  b.close()
})

// _TestPoll.test_strings
test('polling again and again finds each message, empty ones, too', async t => {
  const [a, b] = Pipe.create<never>()
  const there = await startPeer(t, 'process')
  const far = await there.open(b)
  for (const text of ['hello', '', 'a', 'b', '', 'bye', '', 'lop']) {
    const sent = far.do('sendBytes', bytes(text))
    while (!(await a.poll(10)));
    t.deepEqual(await a.recvBytes(), bytes(text))
    await sent
  }
  a.close()
})

// _TestPoll.test_boundaries: an end is one process's, so it is polled and received from there.
test('polling takes no part of a message', async t => {
  const [reader, writer] = Pipe.create<never>({ duplex: false })
  const there = await startPeer(t, 'process')
  const far = await there.open(reader)
  const polling = await far.begin('poll', 600_000)
  for (const text of ['first', 'second']) writer.sendBytesSync(bytes(text))
  writer.close()
  t.true(await polling.result)
  t.deepEqual(await far.do('recvBytes'), bytes('first'))
  t.deepEqual(await far.do('recvBytes'), bytes('second'))
  await t.throwsAsync(far.do('recvBytes'), { code: 'ERR_ENDED' })
})

// _TestPoll.test_dont_merge
test('messages stay apart', async t => {
  const [a, b] = Pipe.create<never>()
  t.deepEqual([await a.poll(0), await a.poll(1)], [false, false])
  const there = await startPeer(t, 'process')
  const far = await there.open(b)
  for (const text of ['a', 'b', 'cd']) await far.do('sendBytes', bytes(text))
  for (const text of ['a', 'b', 'cd']) {
    t.deepEqual([await a.poll(1000), await a.poll(1000), await a.poll(0)], [true, true, true])
    t.deepEqual(await a.recvBytes(), bytes(text))
  }
  t.false(await a.poll())
  a.close()
})

// TestWait.test_wait
test('four senders are waited for at once, until all have closed', async t => {
  const children = await Promise.all(range(4).map(() => startPeer(t, 'process')))
  const readers = new Set<Pipe<[number, number]>>()
  for (const [i, there] of children.entries()) {
    const [reader, writer] = Pipe.create<[number, number]>({ duplex: false })
    readers.add(reader)
    await there.it('deeds').begin('count', await there.open(writer), i)
    writer.close()
  }
  const messages: string[] = []
  while (readers.size > 0) {
    for (const reader of await Pipe.wait(readers)) {
      try {
        messages.push(String(await reader.recv()))
      } catch (error) {
        t.is((error as { code: string }).code, 'ERR_ENDED')
        readers.delete(reader)
        reader.close()
      }
    }
  }
  t.deepEqual(
    messages.sort(),
    range(40)
      .map(i => String([Math.floor(i / 10), i % 10]))
      .sort(),
  )
})

// TestWait.test_wait_timeout, test_neg_timeout: ours refuses a time below zero.
test('waiting for connections without messages returns nothing after its timeout', async t => {
  const [a, b] = Pipe.create<null>()
  t.deepEqual(await Pipe.wait([a, b], { timeout: 20 }), [])
  await t.throwsAsync(Pipe.wait([a], { timeout: -1 }), { code: 'ERR_INVALID_ARG' })
  b.sendSync(null)
  t.deepEqual(await Pipe.wait([a, b], { timeout: 20_000 }), [a])
  // TestWait.test_wait_integer
  a.sendSync(null)
  t.deepEqual(await Pipe.wait([a, b], { timeout: 20_000 }), [a, b])
  a.close()
  b.close()
})

// _TestPicklingConnections.test_pickling
test('a connection that one process made reaches another, which talks with a third', async t => {
  const [listener, remote] = [await startPeer(t, 'process'), await startPeer(t, 'process')]
  const [mine, theirs] = Pipe.create<Reference>()
  const far = await listener.open(theirs)
  theirs.close()
  const [left, right] = Pipe.create<string>()
  const end = await listener.open(left)
  await far.do('send', end)
  const client = await remote.open(right)
  await client.do('send', 'THIS CONNECTION')
  t.is(await end.do('recv'), 'THIS CONNECTION')
  t.deepEqual({ ...(await mine.recv()) }, { ...left.toJSON() })
  mine.close()
})

// _TestPicklingConnections.test_access
test('either end of a pipe goes through a pipe', async t => {
  const there = await startPeer(t, 'process')
  const [connection, childs] = Pipe.create<unknown>()
  const far = await there.open(childs)
  childs.close()
  const [reader, writer] = Pipe.create<string>({ duplex: false })
  await connection.send(writer)
  writer.close()
  const taken = await there.open((await far.do('recv')) as Reference)
  await taken.do('send', 'all is well')
  await taken.do('close')
  t.is(await reader.recv(), 'all is well')
  await t.throwsAsync(reader.recv(), { code: 'ERR_ENDED' })
  reader.close()
  const [second, source] = Pipe.create<string>({ duplex: false })
  await connection.send(second)
  second.close()
  source.sendSync('foobar')
  // Unlike in Python, a connection that is on its way keeps no pipe alive: its sender does.
  const other = await there.open((await far.do('recv')) as Reference)
  source.close()
  t.is(await other.do('recv'), 'foobar')
  await t.throwsAsync(other.do('recv'), { code: 'ERR_ENDED' })
  connection.close()
})
