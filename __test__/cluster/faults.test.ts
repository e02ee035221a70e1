import '../helpers/domain.js'
import ava, { type ExecutionContext } from 'ava'
import { connect } from 'crossmem/redis'
import { Redis } from 'ioredis'
import { unique } from '../helpers/domain.js'
import { connection, connectTo, serverTests, sharedServer } from '../processes/redis.js'
import { clientFor, clients } from '../processes/redis-clients.js'
import { type Program, RedisServer } from '../processes/redis-server.js'

const test = ava.serial

/** An ordinary client, to do what an operator does. */
function operator(t: ExecutionContext, server: RedisServer): Redis {
  const client = new Redis(server.address as { path: string })
  client.on('error', () => undefined)
  t.teardown(() => client.disconnect())
  return client
}

async function ownServer(t: ExecutionContext, program: Program, ...options: string[]): Promise<RedisServer> {
  const server = await RedisServer.start(program, { options })
  t.teardown(() => server.stop())
  return server
}

const persistent = ['--appendonly', 'yes', '--appendfsync', 'always']

const aborted = (signal: AbortSignal): Promise<unknown> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))

serverTests(program => {
  const on = program.name

  for (const client of clients) {
    for (const type of ['pubsub', 'normal']) {
      test(`${on} by ${client}: a connection that is cut loses all it held at once, and goes on anew: ${type}`, async t => {
        const server = await ownServer(t, program)
        const mine = await connectTo(t, server, { client })
        const mutex = mine.mutex('mutex')
        const held = await mutex.lock()
        const message = mine.queue('queue', { redeliver: true })
        await message.put(1)
        const received = await message.receive()
        const { signal } = held
        t.false(signal.aborted)
        await operator(t, server).call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
        await aborted(signal)
        t.like(signal.reason, { code: 'ERR_DISCONNECTED' })
        t.true(held.isReleased)
        await t.throwsAsync(held.release(), { code: 'ERR_LOST_OWNERSHIP' })
        await t.throwsAsync(received.release(), { code: 'ERR_LOST_OWNERSHIP' })
        await t.throwsAsync(async () => held[Symbol.asyncDispose](), { code: 'ERR_LOST_OWNERSHIP' })
        const again = await mutex.lock()
        t.true(again.ownerDied)
        t.true(again.fence > held.fence)
        await again.release()
        const redelivered = await message.receive()
        t.true(redelivered.redelivered)
        await redelivered.release()
      })
    }
  }

  test(`${on}: waits outlive a server that is restarted; what was held is lost, what was put stays`, async t => {
    const server = await ownServer(t, program, ...persistent)
    const [mine, theirs] = [await connectTo(t, server), await connectTo(t, server, { client: 'redis' })]
    t.is(mine.semantics.durability, 'append-only file')
    const [mutex, queue] = [mine.mutex('mutex'), mine.queue('queue')]
    const held = await mutex.lock()
    await queue.put('kept')
    const value = mine.value('value')
    await value.set(5)
    const waits = [theirs.mutex('mutex').lock(), theirs.queue('other').get()] as const
    const { signal } = held
    await server.kill()
    await aborted(signal)
    await server.restart()
    const next = await waits[0]
    t.true(next.ownerDied)
    t.true(next.fence > held.fence)
    await next.release()
    t.deepEqual([await queue.get(), await value.get()], ['kept', 5])
    await mine.queue('other').put('late')
    t.is(await waits[1], 'late')
  })

  test(`${on}: a server that lost everything is used anew`, async t => {
    const server = await ownServer(t, program)
    const mine = await connectTo(t, server)
    t.is(mine.semantics.durability, 'none')
    const [mutex, queue] = [mine.mutex('mutex'), mine.queue('queue')]
    const held = await mutex.lock()
    await queue.put('lost')
    await operator(t, server).flushall()
    t.is(await queue.tryGet(), undefined)
    await queue.put('new')
    t.is(await queue.get(), 'new')
    // The lease is lost, too, so the next call that needs it ends the session.
    await t.throwsAsync(held.release(), { code: 'ERR_LOST_OWNERSHIP' })
    await (await mutex.lock()).release()
  })

  test(`${on}: a server that stops for a while is waited for`, async t => {
    const server = await ownServer(t, program)
    const mine = await connectTo(t, server)
    const mutex = mine.mutex('mutex')
    const held = await mutex.lock()
    server.signal('SIGSTOP')
    const calls = Promise.all([mine.value('value').add(1), mine.queue('queue').put(1)])
    await new Promise(setImmediate)
    server.signal('SIGCONT')
    await calls
    t.false(held.isReleased)
    await held.release()
  })

  test(`${on}: a server that stops for longer than the lease takes nothing for granted`, async t => {
    const server = await ownServer(t, program)
    const mine = await connectTo(t, server, { lease: 1000 })
    const held = await mine.mutex('mutex').lock()
    server.signal('SIGSTOP')
    const call = t.throwsAsync(mine.value('value').add(1), { code: 'ERR_DISCONNECTED' })
    await aborted(held.signal)
    await call
    server.signal('SIGCONT')
    const again = await mine.mutex('mutex').lock()
    t.true(again.ownerDied)
    await again.release()
  })

  test(`${on}: without a server, calls fail once the lease has passed, and a timeout ends them earlier`, async t => {
    const server = await ownServer(t, program)
    const mine = await connectTo(t, server, { lease: 1000 })
    const mutex = mine.mutex('mutex')
    await mutex.withLock(() => undefined)
    await server.kill()
    await t.throwsAsync(mutex.lock({ timeout: 20 }), { code: 'ERR_TIMEOUT' })
    await t.throwsAsync(mutex.tryLock(), { code: 'ERR_DISCONNECTED', message: /no server answers/ })
    await t.throwsAsync(mine.queue('queue').put(1), { code: 'ERR_DISCONNECTED' })
    await t.throwsAsync(connect({ client: clientFor('ioredis', server.address) }), {
      code: 'ERR_DISCONNECTED',
    })
  })

  test(`${on}: answers of the server become codes`, async t => {
    const server = await ownServer(t, program)
    const mine = await connectTo(t, server)
    const root = operator(t, server)
    await root.set('test:{text}', 'of another program')
    await t.throwsAsync(mine.mutex('text').lock(), { code: 'ERR_WRONG_KIND', message: /another program/ })
    await mine.value('number', 'int8').set(1)
    await t.throwsAsync(mine.value('number').get(), { code: 'ERR_INVALID_ARG', message: /int8/ })
    await mine.semaphore('permits', 1, { max: 3 }).tryAcquire()
    await t.throwsAsync(mine.semaphore('permits', 1, { max: 4 }).acquire(), { code: 'ERR_INVALID_ARG' })
    await mine.queue('json', { codec: 'json' }).put(1)
    await t.throwsAsync(mine.queue('json').put(1), { code: 'ERR_INVALID_ARG', message: /codec/ })
    await mine.barrier('barrier', 1).wait()
    await t.throwsAsync(mine.barrier('barrier', 2).wait(), { code: 'ERR_INVALID_ARG', message: /1 parties/ })

    const [mutex, queue] = [mine.mutex('mutex'), mine.queue('queue')]
    await queue.put('there')
    const held = await mutex.lock()
    await root.script('FLUSH')
    await root.config('SET', 'maxmemory', '1')
    await t.throwsAsync(queue.put('more'), { code: 'ERR_NO_SPACE', message: /maxmemory/ })
    t.is(await queue.get(), 'there', 'what makes room still runs')
    await held.release()
    await root.config('SET', 'maxmemory', '0')
    await queue.put('more')

    await root.call('XGROUP', 'DESTROY', 'test:{queue}:stream', 'readers')
    t.is(await queue.get(), 'more')

    await root.call('REPLICAOF', '127.0.0.1', '1')
    await t.throwsAsync(mutex.lock(), { code: 'ERR_READ_ONLY', message: /replica/ })
    await root.call('REPLICAOF', 'NO', 'ONE')
    await (await mutex.lock()).release()
  })

  test(`${on}: a user without rights is told so`, async t => {
    const server = await ownServer(t, program)
    const root = operator(t, server)
    await root.call('ACL', 'SETUSER', 'guest', 'on', '>word', '~other:*', '&*', '+@all')
    const asGuest = (password: string) =>
      new Redis({ ...(server.address as { path: string }), username: 'guest', password, lazyConnect: true })
    await t.throwsAsync(connect({ client: asGuest('wrong'), prefix: 'test' }), { code: 'ERR_PERMISSION' })
    await t.throwsAsync(connect({ client: asGuest('word'), prefix: 'test' }), { code: 'ERR_PERMISSION' })
    await root.call('ACL', 'SETUSER', 'guest', '~test:*')
    await using far = await connect({ client: asGuest('word'), prefix: 'test' })
    await (await far.mutex('mutex').lock()).release()
  })

  test(`${on}: a durable put is on the server's disk when it returns`, async t => {
    const server = await ownServer(t, program, '--appendonly', 'yes', '--appendfsync', 'everysec')
    const mine = await connectTo(t, server)
    const queue = mine.queue('queue', { capacity: 2 })
    await queue.put('first')
    const durable = queue.put('second', { durable: true })
    if (program.name === 'Redis') {
      await t.throwsAsync(durable, { code: 'ERR_UNSUPPORTED', message: /WAITAOF/ })
      return
    }
    await durable
    await server.kill()
    await server.restart()
    t.deepEqual(await queue.getMany(9), ['first', 'second'])
  })

  test(`${on}: a lock that is stolen tells its holder`, async t => {
    const [mine, theirs] = [await connection(t, program), await connection(t, program)]
    const name = unique('lock')
    const fences: number[] = []
    const losing = mine.locks.request(name, async lock => {
      t.deepEqual([lock.name, lock.mode, lock.ownerDied], [name, 'exclusive', false])
      fences.push(lock.fence)
      t.is(await theirs.locks.request(name, { ifAvailable: true }, found => found), null)
      await theirs.locks.request(name, { steal: true }, thief => {
        fences.push((thief as { fence: number }).fence)
      })
      await aborted(lock.signal)
    })
    await t.throwsAsync(losing, { code: 'ERR_LOST_OWNERSHIP' })
    t.true((fences[1] as number) > (fences[0] as number))
    t.is(await mine.locks.request(name, { mode: 'shared' }, () => 'free'), 'free')
    const left = await operator(t, await sharedServer(program, 'socket')).keys(`*${name}*`)
    t.deepEqual(left, [], 'a lock that nobody uses leaves nothing')
  })

  test(`${on}: a cluster is refused`, async t => {
    const server = await ownServer(t, program, '--cluster-enabled', 'yes')
    await t.throwsAsync(connectTo(t, server), { code: 'ERR_UNSUPPORTED', message: /cluster/ })
  })
})

test('what is no client is refused', async t => {
  for (const client of [undefined, null, {}, 'redis://localhost', { isCluster: true, duplicate: () => 1 }]) {
    const code = (client as { isCluster?: true } | null)?.isCluster ? 'ERR_UNSUPPORTED' : 'ERR_INVALID_ARG'
    await t.throwsAsync(connect({ client } as never), { code })
  }
  await t.throwsAsync(connect(undefined as never), { code: 'ERR_INVALID_ARG' })
  const client = clientFor('ioredis', { path: '/nowhere' })
  for (const wrong of [{ prefix: '' }, { prefix: 'a{b}' }, { lease: 1 }, { leese: 1 }]) {
    await t.throwsAsync(connect({ client, ...wrong } as never), { code: 'ERR_INVALID_ARG' })
  }
})
