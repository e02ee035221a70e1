import '../helpers/domain.js'
import ava, { type ExecutionContext } from 'ava'
import { Redis } from 'ioredis'
import { kill, message, start } from '../processes/children.js'
import { connectTo, serverTests } from '../processes/redis.js'
import { clients } from '../processes/redis-clients.js'
import { RedisServer } from '../processes/redis-server.js'
import { CLIENTS, PERMITS } from '../processes/server-storm.js'

const test = ava.serial

/** Clients of each kind that are killed. */
const KILLED = 200

/** Waits until the server has heard of the end of all connections but the test's own. */
async function untilAlone(t: ExecutionContext, server: RedisServer): Promise<void> {
  const client = new Redis(server.address as { path: string })
  t.teardown(() => client.disconnect())
  while ((await client.pubsub('CHANNELS', 'storm:session:*')).length > 1) await new Promise(setImmediate)
}

serverTests(program => {
  test(`${program.name}: ${KILLED} killed clients of each kind leave nothing held, lost or doubled`, async t => {
    t.timeout(280_000)
    const server = await RedisServer.start(program)
    t.teardown(() => server.stop())
    const far = await connectTo(t, server, { prefix: 'storm' })
    const jobs = far.queue<number>('jobs', { redeliver: true })
    const puts: Promise<void>[] = []
    let put = 0
    for (let killed = 0; killed < KILLED; killed += CLIENTS) {
      const client = clients[(killed / CLIENTS) % clients.length] as string
      const child = start('cluster/storm', JSON.stringify(server.address), client)
      const said = message<{ uses?: true; wrong?: string }>(child)
      let uses = false
      const used = said.then(() => {
        uses = true
      })
      // Its consumers need work until all of them have had some.
      while (!uses) {
        const many = Array.from({ length: 50 }, () => put++)
        const putting = jobs.putMany(many)
        puts.push(putting)
        await Promise.race([putting, used])
      }
      t.deepEqual(await said, { uses: true })
      const wrong: unknown[] = []
      child.on('message', said => wrong.push(said))
      await far.value('sum', 'int32').get()
      await kill(child)
      t.deepEqual(wrong, [])
    }
    const noted = new Set<number>()
    await untilAlone(t, server)
    const drained = (async () => {
      for await (const value of jobs) noted.add(value)
    })()
    await Promise.all(puts)
    await jobs.end()
    await drained
    const done = far.queue<number>('done')
    for (let many = await done.tryGetMany(1000); many.length > 0; many = await done.tryGetMany(1000)) {
      for (const value of many) noted.add(value)
    }
    t.is(noted.size, put, 'each message was received')
    const mutex = await far.mutex('mutex').tryLock()
    t.true((mutex?.fence ?? 0) > (await far.value('last fence').get()))
    await mutex?.release()
    const writer = await far.rwLock('rw').tryWrite()
    t.truthy(writer)
    t.is(await far.semaphore('permits', PERMITS, { max: PERMITS }).value, PERMITS)
    t.truthy(await far.condition('condition').tryLock())
    const tasks = far.joinableQueue('tasks')
    while ((await tasks.tryGet()) !== undefined) await tasks.taskDone()
    await tasks.join()
    t.is(await tasks.unfinished, 0)
  })
})
