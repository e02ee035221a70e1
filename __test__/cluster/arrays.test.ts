import '../helpers/domain.js'
import ava from 'ava'
import { list, NDArray } from 'crossmem'
import { Redis } from 'ioredis'
import { connectTo, serverTests } from '../processes/redis.js'
import { RedisServer } from '../processes/redis-server.js'
import { hireServerUser } from '../processes/server-users.js'

const test = ava.serial

serverTests(program => {
  const on = program.name

  test(`${on}: a machine fetches an array once, and all its processes have the same memory`, async t => {
    const server = await RedisServer.start(program)
    t.teardown(() => server.stop())
    const operator = new Redis(server.address as { path: string })
    t.teardown(() => operator.disconnect())
    const far = await connectTo(t, server)
    const shape = [3, 150_000]
    using made = NDArray.create(null, { shape, dtype: 'float64', fill: 2 })
    made.data[449_999] = 7
    const info = await far.arrays.put('prices', made)
    t.is(info.byteLength, 128 + 450_000 * 8)
    t.regex(info.sha256, /^[0-9a-f]{64}$/)
    const users = await Promise.all([
      hireServerUser(t, server.address),
      hireServerUser(t, server.address, { client: 'redis' }),
    ])
    const opened = await Promise.all(users.map(user => user.tell({ do: 'openArray', name: 'prices' })))
    t.deepEqual(opened, [
      { shape, last: 7 },
      { shape, last: 7 },
    ])
    using mine = await far.arrays.open('prices')
    using again = await far.arrays.open('prices')
    t.deepEqual([...mine.shape], shape)
    ;(mine.data as Float64Array)[0] = 5
    t.is((again.data as Float64Array)[0], 5)
    const [, fetched] = /cmdstat_get:calls=(\d+)/.exec(await operator.info('commandstats')) ?? []
    t.is(Number(fetched), Math.ceil(info.byteLength / 2 ** 20))
    const before = await operator.dbsize()
    t.deepEqual(await far.arrays.put('same', made), { ...info, name: 'same' })
    t.is(await operator.dbsize(), before + 1, 'the same contents are not sent again')
    t.true(await far.arrays.remove('prices'))
    t.false(await far.arrays.remove('prices'))
    await t.throwsAsync(far.arrays.open('prices'), { code: 'ERR_NOT_FOUND' })
    using kept = await far.arrays.open('same')
    t.is(kept.name, mine.name)
    await far.arrays.put('same', NDArray.from(null, Float64Array.of(1)))
    t.is((await operator.keys(`test:content:${info.sha256}*`)).length, 0, 'contents without a name go')
  })

  test(`${on}: what is broken on the way is told, and nothing is opened`, async t => {
    const server = await RedisServer.start(program)
    t.teardown(() => server.stop())
    const operator = new Redis(server.address as { path: string })
    t.teardown(() => operator.disconnect())
    const far = await connectTo(t, server)
    using made = NDArray.from(null, new Uint8Array(3 * 2 ** 20).fill(1))
    const { sha256 } = await far.arrays.put('array', made)
    const chunk = `test:content:${sha256}:1`
    const whole = await operator.getBuffer(chunk)
    await operator.setrange(chunk, 5, 'x')
    await t.throwsAsync(far.arrays.open('array'), { code: 'ERR_CORRUPT', message: /SHA-256/ })
    await operator.set(chunk, 'short')
    await t.throwsAsync(far.arrays.open('array'), {
      code: 'ERR_CORRUPT',
      message: /chunk 2 of 4 has 5 bytes/,
    })
    await operator.del(chunk)
    await t.throwsAsync(far.arrays.open('array'), { code: 'ERR_CORRUPT', message: /chunk 2 of 4 is missing/ })
    t.false(list().some(({ name }) => name.includes(sha256)))
    await operator.set(chunk, whole as Buffer)
    using opened = await far.arrays.open('array')
    t.deepEqual(opened.shape, made.shape)
    await far.mutex('mutex').tryLock()
    await t.throwsAsync(far.arrays.open('mutex'), { code: 'ERR_WRONG_KIND' })
    await t.throwsAsync(far.arrays.put('array', [1] as never), { code: 'ERR_INVALID_ARG' })
  })
})
