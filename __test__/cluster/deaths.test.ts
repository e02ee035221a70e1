import '../helpers/domain.js'
import ava from 'ava'
import { unique } from '../helpers/domain.js'
import { connection, serverTests, sharedServer } from '../processes/redis.js'
import { hireServerUser } from '../processes/server-users.js'

const test = ava.serial

serverTests(program => {
  const on = program.name

  test(`${on}: a mutex survives its holder, tells of its death, and its fence grows`, async t => {
    const far = await connection(t, program)
    const user = await hireServerUser(t, (await sharedServer(program, 'socket')).address)
    const mutex = far.mutex(unique('mutex'))
    const { fence = 0 } = await user.tell({ do: 'hold', what: 'mutex', name: mutex.name })
    t.is(await mutex.tryLock(), undefined)
    const waiting = mutex.lock()
    await user.kill()
    const held = await waiting
    t.true(held.ownerDied)
    t.true(held.fence > fence)
    await held.release()
    const again = await mutex.lock()
    t.true(again.ownerDied, 'no holder has repaired anything')
    await again.markConsistent()
    await again.release()
    const clean = await mutex.lock()
    t.false(clean.ownerDied)
    t.true(clean.fence > again.fence)
    await clean.release()
  })

  test(`${on}: what dead connections hold is free for a call that doesn't wait`, async t => {
    const far = await connection(t, program)
    const { address } = await sharedServer(program, 'socket')
    const user = await hireServerUser(t, address, { client: 'redis' })
    const [mutex, rw, semaphore] = [
      far.mutex(unique('m')),
      far.rwLock(unique('rw')),
      far.semaphore(unique('s'), 2),
    ]
    await user.tell({ do: 'hold', what: 'mutex', name: mutex.name })
    await user.tell({ do: 'hold', what: 'reader', name: rw.name })
    await user.tell({ do: 'hold', what: 'permit', name: semaphore.name })
    t.deepEqual([await mutex.isLocked, await rw.tryWrite(), await semaphore.value], [true, undefined, 1])
    await user.kill()
    t.deepEqual([await mutex.isLocked, await semaphore.value], [false, 2])
    const writer = await rw.tryWrite()
    t.false(writer?.ownerDied, 'a reader changes nothing')
    await writer?.release()
  })

  test(`${on}: a waiter that is killed takes nothing with it`, async t => {
    const far = await connection(t, program)
    const { address } = await sharedServer(program, 'socket')
    const user = await hireServerUser(t, address)
    const mutex = far.mutex(unique('mutex'))
    const held = await mutex.lock()
    const [queue, full] = [far.queue(unique('queue')), far.queue(unique('full'), { capacity: 1 })]
    await full.put('there')
    for (const [what, name] of [
      ['mutex', mutex.name],
      ['get', queue.name],
      ['put', full.name],
    ] as const) {
      const { waits, result } = user.begin({ do: 'wait', what, name })
      result.catch(() => undefined)
      await waits
    }
    const [next, getting] = [mutex.lock(), queue.get()]
    await user.kill()
    await held.release()
    const mine = await next
    t.false(mine.ownerDied)
    await mine.release()
    await queue.put('mine')
    t.is(await getting, 'mine')
    t.is(await full.get(), 'there')
    t.is(await full.tryGet(), undefined, 'a put that had no room dies with its process')
  })

  test(`${on}: a barrier breaks when a party dies`, async t => {
    const far = await connection(t, program)
    const user = await hireServerUser(t, (await sharedServer(program, 'socket')).address)
    const barrier = far.barrier(unique('barrier'), 2)
    const { waits, result } = user.begin({ do: 'wait', what: 'barrier', name: barrier.name })
    result.catch(() => undefined)
    await waits
    await user.kill()
    await t.throwsAsync(barrier.wait(), { code: 'ERR_BROKEN_BARRIER' })
    t.true(await barrier.isBroken)
  })

  test(`${on}: the message of a reader that dies goes to the next one, or is lost`, async t => {
    const far = await connection(t, program)
    const { address } = await sharedServer(program, 'socket')
    for (const redeliver of [true, false]) {
      const user = await hireServerUser(t, address)
      const queue = far.queue(unique('queue'), { capacity: 2, redeliver })
      await queue.putMany(['first', 'second'])
      t.like(await user.tell({ do: 'hold', what: 'message', name: queue.name }), { value: 'first' })
      const putting = queue.put('third')
      await user.kill()
      if (redeliver) {
        const values = []
        for (let i = 0; i < 3; i++) {
          const message = await queue.receive()
          values.push([message.value, message.redelivered])
          await message.release()
        }
        t.deepEqual(values.sort(), [
          ['first', true],
          ['second', false],
          ['third', false],
        ])
      }
      await putting
      t.deepEqual(await queue.tryGetMany(9), redeliver ? [] : ['second', 'third'])
    }
  })

  test(`${on}: tasks of the dead count as failed, and do not keep a join waiting`, async t => {
    const far = await connection(t, program)
    const user = await hireServerUser(t, (await sharedServer(program, 'socket')).address)
    const tasks = far.joinableQueue(unique('tasks'))
    await tasks.putMany([1, 2])
    await user.tell({ do: 'hold', what: 'task', name: tasks.name })
    t.is(await tasks.get(), 2)
    await tasks.taskDone()
    const joining = tasks.join()
    await user.kill()
    await joining
    t.deepEqual([await tasks.failed, await tasks.unfinished], [1, 0])
  })

  test(`${on}: a count under a mutex is exact, though processes that count are killed`, async t => {
    const far = await connection(t, program)
    const { address } = await sharedServer(program, 'socket')
    const name = unique('count')
    const [times, survivors] = [60, 2]
    const users = await Promise.all(
      (['ioredis', 'redis', 'iovalkey', 'ioredis'] as const).map(client =>
        hireServerUser(t, address, { client }),
      ),
    )
    const counting = users.map(user => user.tell({ do: 'count', name, times }))
    for (const end of counting) end.catch(() => undefined)
    const value = far.value(`${name} counts`)
    // Each is killed while it counts: somewhere inside, since the others go on.
    for (const user of users.slice(survivors)) {
      const before = await value.get()
      while ((await value.get()) < before + 5) await new Promise(setImmediate)
      await user.kill()
    }
    await Promise.all(counting.slice(0, survivors))
    const mutex = far.mutex(name)
    const total = await mutex.withLock(() => value.get())
    t.true(total >= survivors * times && total <= users.length * times, `${total}`)
  })
})
