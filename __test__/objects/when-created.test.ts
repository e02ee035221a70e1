import '../helpers/domain.js'
import { existsSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import test from 'ava'
import {
  Barrier,
  Condition,
  Event,
  JoinableQueue,
  MpmcQueue,
  Mutex,
  NDArray,
  Queue,
  RecordQueue,
  RLock,
  RwLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  SpscQueue,
  Value,
} from 'crossmem'
import { unique } from '../helpers/domain.js'
import { isPending } from '../helpers/pending.js'
import { startPeer } from '../processes/peers.js'

interface Made {
  name: string
  crossmem: string
  close(): void
}

/** How another process creates an object of each class, and how this one waits for it. */
const classes: Record<string, { create: unknown[]; wait: (name: string) => Promise<Made> }> = {
  Mutex: { create: [], wait: name => Mutex.whenCreated(name) },
  RLock: { create: [], wait: name => RLock.whenCreated(name) },
  RwLock: { create: [], wait: name => RwLock.whenCreated(name) },
  Semaphore: { create: [2], wait: name => Semaphore.whenCreated(name) },
  Condition: { create: [], wait: name => Condition.whenCreated(name) },
  Event: { create: [], wait: name => Event.whenCreated(name) },
  Barrier: { create: [2], wait: name => Barrier.whenCreated(name, { action: () => undefined }) },
  Value: { create: ['int32'], wait: name => Value.whenCreated(name) },
  SharedArray: { create: ['int32', 2], wait: name => SharedArray.whenCreated(name) },
  SharedMemory: { create: [8], wait: name => SharedMemory.whenCreated(name) },
  NDArray: { create: [{ shape: [2] }], wait: name => NDArray.whenCreated(name, { dtype: 'float64' }) },
  SpscQueue: { create: [], wait: name => SpscQueue.whenCreated(name) },
  MpmcQueue: { create: [], wait: name => MpmcQueue.whenCreated(name) },
  Queue: { create: [{ codec: 'json' }], wait: name => Queue.whenCreated(name, { codec: 'json' }) },
  JoinableQueue: { create: [], wait: name => JoinableQueue.whenCreated(name) },
  RecordQueue: {
    create: [{ dtype: [['id', '<i4']] }],
    wait: name => RecordQueue.whenCreated(name, { dtype: [['id', '<i4']] }),
  },
}

for (const place of ['process', 'thread'] as const) {
  test(`an object of each class is opened once a ${place} has created it`, async t => {
    const peer = await startPeer(t, place)
    for (const [kind, { create, wait }] of Object.entries(classes)) {
      const name = unique('awaited')
      const waiting = wait(name)
      t.true(await isPending(waiting), kind)
      await peer.it(`crossmem.${kind}`).take('create', name, ...create)
      const found = await waiting
      t.deepEqual([found.crossmem, found.name], [kind, name])
      found.close()
    }
  })

  test(`a ${place} that waits opens what is created here`, async t => {
    const peer = await startPeer(t, place)
    const name = unique('awaited')
    const waiting = await peer.it('crossmem.Value').begin('whenCreated', name)
    const value = Value.create(name, 'int32', 7)
    t.teardown(() => value.close())
    const found = (await waiting.result) as unknown as { do(call: string): Promise<number> }
    t.is(await found.do('get'), 7)
  })
}

test('what exists is opened at once, also without time, and while others wait', async t => {
  const mutex = Mutex.create(unique('there'))
  t.teardown(() => mutex.close())
  const cancelled = new AbortController()
  const other = Mutex.whenCreated(unique('never'), { signal: cancelled.signal })
  for (const options of [undefined, { timeout: 0 }]) (await Mutex.whenCreated(mutex.name, options)).close()
  cancelled.abort(new Error('enough'))
  await t.throwsAsync(other, { message: 'enough' })
})

test('the wait ends after its time, by its signal, and at once if its signal is aborted', async t => {
  const name = unique('never')
  await t.throwsAsync(Mutex.whenCreated(name, { timeout: 0 }), {
    code: 'ERR_TIMEOUT',
    message: `waiting until "${name}" exists: timed out after 0 ms`,
  })
  await t.throwsAsync(Mutex.whenCreated(name, { timeout: 10 }), { code: 'ERR_TIMEOUT' })
  const cancelled = new AbortController()
  const waiting = Mutex.whenCreated(name, { signal: cancelled.signal })
  t.true(await isPending(waiting))
  cancelled.abort(new Error('enough'))
  await t.throwsAsync(waiting, { message: 'enough' })
  await t.throwsAsync(Mutex.whenCreated(name, { signal: cancelled.signal }), { message: 'enough' })
})

test('a name that cannot be, and another class, are refused', async t => {
  for (const name of ['', 'a/b', '.crossmem-x', 5 as never, undefined as never])
    await t.throwsAsync(Mutex.whenCreated(name), { code: 'ERR_INVALID_NAME' })
  await t.throwsAsync(Queue.whenCreated('q', { codec: 'xml' as never }), { code: 'ERR_INVALID_ARG' })
  await t.throwsAsync(NDArray.whenCreated('a', { dtype: 'int5' as never }), { code: 'ERR_INVALID_ARG' })
  await t.throwsAsync(Barrier.whenCreated('b', { action: 1 as never }), { code: 'ERR_INVALID_ARG' })
  const name = unique('other')
  const waiting = Mutex.whenCreated(name)
  t.true(await isPending(waiting))
  const event = Event.create(name)
  t.teardown(() => event.close())
  await t.throwsAsync(waiting, { code: 'ERR_WRONG_KIND' })
})

test('many wait for one name, and one waits for many names', async t => {
  const peer = await startPeer(t, 'process')
  const names = Array.from({ length: 40 }, () => unique('awaited'))
  const waiting = names.flatMap(name => [Event.whenCreated(name), Event.whenCreated(name)])
  const cancelled = new AbortController()
  const given = names.map(name => Event.whenCreated(name, { signal: cancelled.signal }))
  t.true(await isPending(Promise.race([...waiting, ...given])))
  cancelled.abort()
  for (const { status } of await Promise.allSettled(given)) t.is(status, 'rejected')
  for (const name of names.toReversed()) await peer.it('crossmem.Event').take('create', name)
  const found = await Promise.all(waiting)
  t.deepEqual(
    found.map(({ name }) => name),
    names.flatMap(name => [name, name]),
  )
  for (const handle of found) handle.close()
})

test('a creator that is killed leaves those that wait to the next one', async t => {
  const name = unique('awaited')
  let rounds = 0
  for (let round = 0; round < 5; round++) {
    const peer = await startPeer(t, 'process')
    const waiting = Value.whenCreated<'int32'>(name)
    // It may be killed before, while, or after it creates the value.
    const { result } = await peer.it('crossmem.Value').begin('create', name, 'int32', round)
    if (round % 2 === 0) await Promise.allSettled([result])
    await peer.kill()
    await Promise.allSettled([result])
    const next = Value.openOrCreate(name, 'int32', 100)
    const found = await waiting
    t.true([round, 100].includes(found.get()))
    found.close()
    next.close()
    rounds++
  }
  t.is(rounds, 5)
})

test('a process that waits and is killed hinders no other process', async t => {
  const peer = await startPeer(t, 'process')
  const name = unique('awaited')
  await peer.it('crossmem.Event').begin('whenCreated', name)
  const waiting = Event.whenCreated(name)
  t.true(await isPending(waiting))
  await peer.kill()
  const event = Event.create(name)
  ;(await waiting).close()
  event.close()
})

if (existsSync('/dev/shm')) {
  test('memory that another program makes is opened once it has bytes', async t => {
    const name = unique('foreign')
    const path = `/dev/shm/${name}`
    t.teardown(() => rm(path, { force: true }))
    const waiting = SharedMemory.whenCreated(name)
    writeFileSync(path, '')
    t.true(await isPending(waiting))
    writeFileSync(path, 'bytes')
    const memory = await waiting
    t.is(Buffer.from(memory.bytes).toString(), 'bytes')
    memory.close()
  })
}
