import '../helpers/domain.js'
import { deepStrictEqual } from 'node:assert'
import ava from 'ava'
import { list, open, Pipe, type Reference } from 'crossmem'
import { range } from '../contracts/queue-class.js'
import { isPending } from '../helpers/pending.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial
const MiB = 1 << 20

for (const place of places) {
  test(`an end is claimed by its reference, and values come back as they went: ${place}`, async t => {
    const there = await startPeer(t, place)
    const [mine, yours] = Pipe.create()
    const far = await there.open(yours)
    t.throws(() => yours.sendSync(1), { code: 'ERR_BUSY' })
    t.throws(() => open(yours.toJSON()), { code: 'ERR_BUSY' })
    yours.close()
    const echo = await there.it('deeds').begin('echo', far)
    const values = [undefined, null, 0, '', false, Number.NaN, { a: [new Date(1)] }, 'x'.repeat(300_000)]
    for (const value of values) {
      await mine.send(value)
      const back = await mine.recv()
      t.notThrows(() => deepStrictEqual(back, value))
    }
    const sends = range(500).map(i => mine.send(i))
    for (const i of range(500)) t.is(await mine.recv(), i)
    await Promise.all(sends)
    mine.close()
    await echo.result
    t.false(list().some(({ name }) => name === mine.name))
  })

  test(`several MiB go both ways at once: ${place}`, async t => {
    const there = await startPeer(t, place)
    const [mine, yours] = Pipe.create({ capacity: 4096 })
    const far = await there.open(yours)
    const theirs = there.it('deeds').do('exchange', far, 5 * MiB, 1, 2)
    const sent = mine.sendBytes(new Uint8Array(8 * MiB).fill(2))
    const received = await mine.recvBytes()
    await sent
    t.true(received.length === 5 * MiB && received.every(byte => byte === 1))
    t.deepEqual(await theirs, { length: 8 * MiB, areYours: true })
    mine.close()
  })

  for (const how of ['recv', 'recvSync', 'poll', 'pollSync']) {
    test(`a waiter in another agent is woken by a value and by the end: ${how}, ${place}`, async t => {
      const there = await startPeer(t, place)
      const [mine, yours] = Pipe.create()
      const far = await there.open(yours)
      const isPoll = how.startsWith('poll')
      const args = isPoll ? [600_000] : []
      const waiting = await far.begin(how, ...args)
      mine.sendSync('hello')
      t.is(await waiting.result, isPoll ? true : 'hello')
      if (isPoll) t.is(await far.do('tryRecv'), 'hello')
      const last = await far.begin(how, ...args)
      mine.close()
      if (isPoll) t.true(await last.result)
      else await t.throwsAsync(last.result, { code: 'ERR_ENDED' })
    })
  }

  for (const how of ['send', 'sendSync']) {
    test(`a waiter for room in another agent is woken by room and by the end: ${how}, ${place}`, async t => {
      const there = await startPeer(t, place)
      const [mine, yours] = Pipe.create({ capacity: 64 })
      const far = await there.open(yours)
      const text = 'x'.repeat(20)
      await far.do('send', text)
      await far.do('send', text)
      const waiting = await far.begin(how, text)
      t.is(await mine.recv(), text)
      await waiting.result
      const inVain = await far.begin(how, text)
      mine.close()
      await t.throwsAsync(inVain.result, { code: 'ERR_ENDED' })
    })
  }

  for (const end of ['close', 'exit', 'kill'] as const) {
    for (const holds of [true, false]) {
      const around = holds ? ', with the end still open here' : ''
      test(`values sent before the other end is gone are received first: ${end}, ${place}${around}`, async t => {
        const there = await startPeer(t, place)
        const [mine, yours] = Pipe.create<number>()
        const far = await there.open(yours)
        if (!holds) yours.close()
        for (const i of range(3)) await far.do('send', i)
        t.deepEqual([await mine.recv(), mine.recvSync(), await mine.recv()], range(3))
        const waits = [mine.recv(), mine.poll(600_000), Pipe.wait([mine])] as const
        t.true(await isPending(Promise.race(waits)))
        await far.do('send', 9)
        t.is(await waits[0], 9)
        const waiting = mine.recv()
        t.true(await isPending(waiting))
        if (end === 'close') await far.do('close')
        if (end === 'exit')
          await there
            .it('process')
            .do('exit')
            .catch(() => undefined)
        if (end === 'kill') await there.kill()
        // A worker thread that is terminated leaves in order, as a process that exits does.
        const code = end === 'kill' && place === 'process' ? 'ERR_PEER_DIED' : 'ERR_ENDED'
        await t.throwsAsync(waiting, { code })
        t.true(await waits[1])
        t.deepEqual(await waits[2], [mine])
        t.throws(() => mine.recvSync(), { code })
        await t.throwsAsync(mine.recvBytes(), { code })
        t.true(mine.pollSync())
        mine.close()
        yours.close()
      })
    }
  }

  test(`values sent before a death are received after it: ${place}`, async t => {
    const there = await startPeer(t, place)
    const [mine, yours] = Pipe.create<number>()
    const far = await there.open(yours)
    yours.close()
    for (const i of range(3)) await far.do('send', i)
    await there.kill()
    t.deepEqual([mine.recvSync(), await mine.recv(), mine.tryRecv()], range(3))
    await t.throwsAsync(mine.recv(), { code: place === 'process' ? 'ERR_PEER_DIED' : 'ERR_ENDED' })
    if (place === 'process') t.throws(() => mine.tryRecv(), { code: 'ERR_PEER_DIED' })
    else t.is(mine.tryRecv(), undefined)
    mine.close()
  })

  test(`a waiter for room is told of a death: ${place}`, async t => {
    const there = await startPeer(t, place)
    const [mine, yours] = Pipe.create<Uint8Array>({ capacity: 64 })
    await there.open(yours)
    const large = mine.sendBytes(new Uint8Array(1000))
    t.true(await isPending(large))
    await there.kill()
    await t.throwsAsync(large, { code: place === 'process' ? 'ERR_PEER_DIED' : 'ERR_ENDED' })
    mine.close()
    yours.close()
  })

  test(`the dead one's end is not taken over: ${place}`, async t => {
    const there = await startPeer(t, place)
    const [mine, yours] = Pipe.create<number>()
    await there.open(yours)
    await there.kill()
    t.throws(() => open(yours.toJSON()), { code: place === 'process' ? 'ERR_PEER_DIED' : 'ERR_ENDED' })
    for (const end of [mine, yours]) end.close()
  })

  test(`of two other agents one is told of the other's death, although the pipe is open here: ${place}`, async t => {
    const [first, second] = [await startPeer(t, place), await startPeer(t, place)]
    const [one, other] = Pipe.create<number>()
    const [a, b] = [await first.open(one), await second.open(other)]
    await a.do('send', 1)
    t.is(await b.do('recv'), 1)
    for (const how of ['recv', 'recvSync']) {
      const waiting = await b.begin(how)
      await first.kill()
      await t.throwsAsync(waiting.result, { code: place === 'process' ? 'ERR_PEER_DIED' : 'ERR_ENDED' })
    }
    for (const end of [one, other]) end.close()
  })

  test(`Pipe.wait serves many other agents: ${place}`, async t => {
    const there = await startPeer(t, place)
    const pipes = range(50).map(() => Pipe.create<number>({ duplex: false, capacity: 64 }))
    const readers = new Set(pipes.map(([reader]) => reader))
    for (const [i, [, writer]] of pipes.entries()) {
      const far = await there.open(writer)
      await far.do('send', i)
      if (i % 2) await far.do('close')
    }
    const received: number[] = []
    while (readers.size > 25) {
      for (const reader of await Pipe.wait(readers)) {
        try {
          received.push(await reader.recv())
        } catch (error) {
          t.is((error as { code: string }).code, 'ERR_ENDED')
          readers.delete(reader)
          reader.close()
        }
      }
    }
    t.deepEqual(
      received.sort((a, b) => a - b),
      range(50),
    )
    await there.kill()
    t.is((await Pipe.wait(readers)).length > 0, true)
    for (const reader of readers) reader.close()
  })
}

test('an end goes through another pipe', async t => {
  const there = await startPeer(t, 'process')
  const [mine, yours] = Pipe.create<Reference>()
  const far = await there.open(yours)
  const [left, right] = Pipe.create<string>()
  await far.do('send', right)
  using claimed = open((await mine.recv()) as Reference) as Pipe<string>
  claimed.sendSync('through')
  t.is(await left.recv(), 'through')
  for (const end of [mine, left]) end.close()
})
