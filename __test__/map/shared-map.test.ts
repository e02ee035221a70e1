import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync, truncateSync } from 'node:fs'
import { inspect } from 'node:util'
import ava from 'ava'
import { CrossmemError, list, Mutex, open, Pool, Process } from 'crossmem'
import { type MapKey, SharedMap, type SharedMapOptions } from 'crossmem/map'
import { testObject } from '../contracts/object.js'
import { unique } from '../helpers/domain.js'
import { fixture } from '../helpers/paths.js'
import { isPending } from '../helpers/pending.js'
import { random } from '../helpers/random.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial

testObject(
  SharedMap,
  [],
  [
    map => map.get('a'),
    map => map.has('a'),
    map => map.set('a', 1),
    map => map.delete('a'),
    map => map.clear(),
    map => map.update('a', () => 1),
    map => map.getOrInsert('a', () => 1),
    map => map.watch('a').next(),
    map => map.entries(),
    map => [...map.keys()],
    map => [...map.values()],
    map => map.size,
    map => map.usedBytes,
  ],
)

/** Files of the domain's maps. */
const files = (): string[] =>
  readdirSync('/dev/shm').filter(name => name.includes(`${process.env.CROSSMEM_DOMAIN}+`))

for (const place of places) {
  test(`what one side writes the other one reads at once: ${place}`, async t => {
    const there = await startPeer(t, place)
    using mine = SharedMap.create(null)
    const theirs = await there.open(mine)
    t.is(mine.get('a'), undefined)
    await theirs.do('set', 'a', { id: 1, tags: ['x'] })
    t.deepEqual(mine.get('a'), { id: 1, tags: ['x'] })
    await mine.set('a', 'mine')
    t.is(await theirs.do('get', 'a'), 'mine')
    await theirs.do('set', ['list', 1], 1)
    t.deepEqual(
      [...mine],
      [
        ['a', 'mine'],
        [['list', 1], 1],
      ],
    )
    t.true(await theirs.do('delete', 'a'))
    t.false(mine.has('a'))
    t.is(mine.size, 1)
    await theirs.do('clear')
    t.deepEqual([mine.size, [...mine]], [0, []])
    await theirs.do('close')
  })

  test(`no change is lost that two sides make at the same time: ${place}`, async t => {
    const there = await startPeer(t, place)
    using mine = SharedMap.create<number>(null)
    const theirs = await there.open(mine)
    const work = there.it('deeds').do('addToMap', theirs, 300)
    for (let i = 0; i < 300; i++) await mine.update('sum', sum => (sum ?? 0) + 1)
    await work
    t.is(mine.get('sum'), 600)
    await theirs.do('close')
  })

  test(`getOrInsert makes a value once for all that ask: ${place}`, async t => {
    const there = await startPeer(t, place)
    using mine = SharedMap.create<number>(null)
    const theirs = await there.open(mine)
    const asked = ['a', 'a', 'b'].map(key => there.it('deeds').do('makeSlowly', theirs, key))
    let made = 0
    const here = [1, 2, 3].map(() =>
      mine.getOrInsert('c', async key => {
        made++
        await new Promise(setImmediate)
        return (key as string).length + 41
      }),
    )
    t.deepEqual(await Promise.all(here), [42, 42, 42])
    t.is(made, 1)
    const [first, second] = await Promise.all(asked)
    t.is(first, second)
    t.is(mine.get('a'), first as number)
    await theirs.do('close')
  })

  test(`getOrInsert makes a value again if the one who makes it dies: ${place}`, async t => {
    const there = await startPeer(t, place)
    using mine = SharedMap.create<number>(null)
    const theirs = await there.open(mine)
    await there.it('deeds').do('makeNever', theirs, 'a')
    const value = mine.getOrInsert('a', () => 7)
    t.true(await isPending(value))
    await there.kill()
    t.is(await value, 7)
  })

  test(`watch tells each side of the last change: ${place}`, async t => {
    const there = await startPeer(t, place)
    using mine = SharedMap.create(null)
    const theirs = await there.open(mine)
    const far = there.it('deeds').do<unknown[]>('watchMap', theirs, 'a', 'end')
    const watch = mine.watch('b')
    t.is((await watch.next()).value, undefined)
    const change = watch.next()
    t.true(await isPending(change))
    await theirs.do('set', 'b', 1)
    t.is((await change).value, 1)
    const removed = watch.next()
    await theirs.do('delete', 'b')
    t.is((await removed).value, undefined)
    await watch.return()
    await mine.set('a', 'first')
    await mine.set('a', 'end')
    t.is((await far).at(-1), 'end')
    await theirs.do('close')
  })
}

test('a process that dies inside a change has not changed anything, and keeps nobody waiting', async t => {
  const there = await startPeer(t, 'process')
  using mine = SharedMap.create(null)
  await mine.set('sum', 1)
  const theirs = await there.open(mine)
  await t.throwsAsync(there.it('deeds').do('dieInUpdate', theirs))
  t.is(mine.get('sum'), 1)
  await mine.set('sum', 2)
  t.is(mine.get('sum'), 2)
})

test('a value is seen whole, as every kind that structured clone knows', async t => {
  using map = SharedMap.create(null)
  const values = [
    null,
    '',
    0,
    [1, undefined],
    new Map([[1, new Set([2])]]),
    new Date(5),
    /x/,
    2n ** 70n,
    new Float64Array([1, 2]),
    new RangeError('e'),
    'x'.repeat(200_000),
  ]
  for (const [i, value] of values.entries()) await map.set(i, value)
  t.deepEqual([...map.values()], values)
  for (const [i, value] of values.entries()) t.deepEqual(map.get(i), value)
  const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => i)
  await map.set('large', bytes)
  const read = map.get('large') as Uint8Array
  t.is(Buffer.compare(read, bytes), 0)
  await map.set('large', 'other')
  t.is(Buffer.compare(read, bytes), 0, 'what was read is a copy')
  using mutex = Mutex.create(null)
  await map.set('handle', { mutex })
  using back = open((map.get('handle') as { mutex: { crossmem: 'Mutex'; name: string } }).mutex)
  t.is(back.name, mutex.name)
})

test("a codec of one's own is the same for all", async t => {
  const codec = {
    name: 'upper',
    encode: (value: string) => Buffer.from(value.toUpperCase()),
    decode: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
  }
  using map = SharedMap.create(null, { codec })
  await map.set('a', 'text')
  t.is(map.get('a'), 'TEXT')
  t.throws(() => SharedMap.open(map.name), { code: 'ERR_INVALID_ARG' })
  using again = SharedMap.open(map.name, { codec })
  t.is(again.get('a'), 'TEXT')
})

test('ranges have the keys between their ends, in order', async t => {
  using map = SharedMap.create<number>(null)
  const keys: MapKey[] = [-5, 0, 7, '', 'a', 'ab', 'b', 'é', ['a'], ['a', 1], ['a', 'x'], ['ab'], ['b', 2]]
  for (const [i, key] of [...keys.entries()].reverse()) await map.set(key, i)
  t.deepEqual([...map.keys()], keys)
  t.deepEqual([...map.values()], [...keys.keys()])
  t.deepEqual([...map.keys({ reverse: true })], [...keys].reverse())
  for (const [from, start] of keys.entries()) {
    for (const [to, end] of keys.entries()) {
      const expected = keys.slice(from, to)
      t.deepEqual([...map.keys({ start, end })], expected)
      t.deepEqual([...map.keys({ start, end, reverse: true })], expected.reverse())
    }
  }
  t.deepEqual([...map.keys({ prefix: 'a' })], ['a', 'ab'])
  t.deepEqual([...map.keys({ prefix: ['a'] })], [['a'], ['a', 1], ['a', 'x']])
  t.deepEqual([...map.keys({ prefix: ['a'], start: ['a', 'm'] })], [['a', 'x']])
  t.deepEqual([...map.keys({ limit: 2, start: 'ab' })], ['ab', 'b'])
  t.deepEqual([...map.keys({ limit: 0 })], [])
  t.deepEqual([...map.entries({ start: 'b', end: 'é' })], [['b', 6]])
  for (const range of [{ limit: -1 }, { reverse: 1 }, { from: 'a' }, { start: null }, 'a']) {
    t.throws(() => map.entries(range as never), { code: 'ERR_INVALID_ARG' })
  }
})

test('a map of many entries is what a Map would be', async t => {
  const below = random(5)
  using map = SharedMap.create<number>(null)
  const model = new Map<number, number>()
  for (let i = 0; i < 3000; i++) {
    const key = below(800)
    if (below(10) < 3) t.is(await map.delete(key), model.delete(key))
    else {
      await map.set(key, i)
      model.set(key, i)
    }
    if (i % 500 === 0) t.is(map.size, model.size)
  }
  t.deepEqual(
    [...map],
    [...model].sort(([a], [b]) => a - b),
  )
  t.is(map.size, model.size)
  const all = map.keys()
  for (const key of all) await map.delete(key)
  t.is(map.size, 0)
})

test('an entry is gone after its time, for reads at once and from memory with a later write', async t => {
  using map = SharedMap.create(null, { ttl: 20 })
  t.is(map.ttl, 20)
  await map.set('short', 1)
  await map.set('long', 2, { ttl: Number.POSITIVE_INFINITY })
  const watch = map.watch('short')
  t.is((await watch.next()).value, 1)
  t.is((await watch.next()).value, undefined)
  await watch.return()
  t.is(map.get('short'), undefined)
  t.false(map.has('short'))
  t.deepEqual([...map], [['long', 2]])
  t.is(map.size, 2)
  t.false(await map.delete('short'))
  for (let i = 0; i < 600; i++) await map.set(i, i, { ttl: 1 })
  const fresh = map.watch(599)
  while ((await fresh.next()).value !== undefined);
  await fresh.return()
  // Each write removes some of them.
  for (let i = 0; i < 5; i++) await map.set('long', 2, { ttl: Number.POSITIVE_INFINITY })
  t.is(map.size, 1)
  t.is(await map.update('new', value => (value === undefined ? 'made' : 'kept')), 'made')
})

test('a new time replaces the old one', async t => {
  using map = SharedMap.create(null)
  await map.set('a', 1, { ttl: 1 })
  await map.set('a', 2, { ttl: Number.POSITIVE_INFINITY })
  await map.set('b', 1, { ttl: 1 })
  const watch = map.watch('b')
  while ((await watch.next()).value !== undefined);
  await watch.return()
  await map.set('c', 1)
  t.deepEqual(
    [...map],
    [
      ['a', 2],
      ['c', 1],
    ],
  )
})

test('beyond maxBytes the least recently used entries are thrown out', async t => {
  using map = SharedMap.create<Uint8Array>(null, { maxBytes: 1 << 18 })
  t.is(map.maxBytes, 1 << 18)
  const value = new Uint8Array(1000)
  for (let i = 0; i < 50; i++) await map.set(i, value)
  t.is(map.size, 50)
  for (let i = 50; i < 3000; i++) {
    await map.set(i, value)
    for (let used = 0; used < 10; used++) if (map.get(used) === undefined) t.fail(`${used} is gone at ${i}`)
    if (map.usedBytes > map.maxBytes) t.fail(`${map.usedBytes} bytes at ${i}`)
  }
  const keys = [...map.keys()] as number[]
  t.deepEqual(keys.slice(0, 10), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  // All others are the last ones, without a gap.
  const rest = keys.slice(10)
  t.deepEqual(
    rest,
    Array.from({ length: rest.length }, (_, i) => 3000 - rest.length + i),
  )
  t.true(rest.length > 50)
  t.is(map.size, keys.length)
})

test('who is used last stays, whatever the order of the keys', async t => {
  using map = SharedMap.create<Uint8Array>(null, { maxBytes: 1 << 16 })
  const value = new Uint8Array(3000)
  for (const key of [3, 1, 2]) await map.set(key, value)
  for (const key of [2, 3, 1]) map.get(key)
  const order: number[] = []
  for (let i = 10; order.length < 3; i++) {
    await map.set(i, value)
    for (const key of [1, 2, 3]) {
      if (!order.includes(key) && ![...map.keys()].includes(key)) order.push(key)
    }
  }
  t.deepEqual(order, [2, 3, 1])
})

test('an entry that is too large is refused, and all others stay', async t => {
  using map = SharedMap.create<Uint8Array>(null, { maxBytes: 1 << 16 })
  await map.set('a', new Uint8Array(100))
  await t.throwsAsync(map.set('b', new Uint8Array(40_000)), {
    code: 'ERR_TOO_LARGE',
    message: /at most half/,
  })
  t.deepEqual([...map.keys()], ['a'])
})

test('what is removed makes room: the file grows no more', async t => {
  using map = SharedMap.create<Uint8Array>(null)
  const size = () => list().find(({ name }) => name === map.name)?.byteLength as number
  const fill = async () => {
    for (let i = 0; i < 100; i++) await map.set(i, new Uint8Array(20_000).fill(i))
  }
  await fill()
  const first = size()
  for (let round = 0; round < 20; round++) {
    if (round % 2 === 0) await map.clear()
    await fill()
  }
  t.true(size() < 4 * first, `${size()} bytes after ${first}`)
})

test('bad arguments are refused, and nothing changes', async t => {
  using map = SharedMap.create(null)
  await map.set('a', 1)
  const refused = { instanceOf: CrossmemError, code: 'ERR_INVALID_ARG' }
  for (const ttl of [0, -1, Number.NaN, '5', null]) {
    await t.throwsAsync(map.set('a', 2, { ttl } as never), refused)
    t.throws(() => SharedMap.create(null, { ttl } as never), refused)
  }
  for (const maxBytes of [0, 100, 1.5, '1e6', null]) {
    t.throws(() => SharedMap.create(null, { maxBytes } as SharedMapOptions<unknown>), refused)
  }
  await t.throwsAsync(map.set('a', undefined), { ...refused, message: /delete\(\) it, or write null/ })
  await t.throwsAsync(
    map.set('a', () => 1),
    refused,
  )
  await t.throwsAsync(map.update('a', 1 as never), refused)
  await t.throwsAsync(
    map.update('a', async () => 1),
    { ...refused, message: /synchronous/ },
  )
  await t.throwsAsync(map.getOrInsert('a', 1 as never), refused)
  for (const key of [undefined, [], {}, '\ud800']) {
    t.throws(() => map.get(key as never), refused)
    t.throws(() => map.has(key as never), refused)
    await t.throwsAsync(map.set(key as never, 1), refused)
    await t.throwsAsync(map.delete(key as never), refused)
    await t.throwsAsync(map.watch(key as never).next(), refused)
  }
  t.throws(() => map.get('x'.repeat(5000)), { code: 'ERR_TOO_LARGE' })
  await t.throwsAsync(map.set('x'.repeat(5000), 1), { code: 'ERR_TOO_LARGE' })
  const failed = new Error('on purpose')
  const fail = () => {
    throw failed
  }
  t.is(await t.throwsAsync(map.update('a', fail)), failed)
  t.is(await t.throwsAsync(map.getOrInsert('b', fail)), failed)
  t.is(await map.getOrInsert('b', () => 2), 2)
  await t.throwsAsync(map.set('a', 2, { signal: AbortSignal.abort() }), { any: true, name: 'AbortError' })
  t.deepEqual(
    [...map],
    [
      ['a', 1],
      ['b', 2],
    ],
  )
  t.throws(() => SharedMap.openOrCreate(map.name, { ttl: 5 }), {
    ...refused,
    message: /exists with ttl: Infinity/,
  })
  t.throws(() => SharedMap.openOrCreate(map.name, { maxBytes: 1e6 }), {
    ...refused,
    message: /exists with maxBytes/,
  })
})

test('update removes an entry for which it returns undefined', async t => {
  using map = SharedMap.create<number>(null)
  await map.set('a', 1)
  t.is(await map.update('a', () => undefined), undefined)
  t.false(map.has('a'))
  t.is(await map.update('a', () => undefined), undefined)
  t.is(map.size, 0)
})

test('a persistent map keeps its entries without a process, and unlink removes all files', async t => {
  const name = unique('persistent')
  const made = SharedMap.create(name, { persist: true, ttl: 1e6, maxBytes: 1e6 })
  await made.set('a', { kept: true })
  made.close()
  t.is(files().length, 2)
  using again = SharedMap.open(name)
  t.deepEqual([again.get('a'), again.ttl, again.maxBytes, again.size], [{ kept: true }, 1e6, 1e6, 1])
  await again.set('b', 1)
  again.unlink()
  t.is(again.get('b'), 1)
  await again.set('c', 2)
  t.is(again.get('c'), 2)
  t.deepEqual(files(), [])
})

test('two handles in one process are the same map, and closing one leaves the other', async t => {
  const one = SharedMap.create(null)
  using two = SharedMap.open(one.name)
  await one.set('a', 1)
  t.is(two.get('a'), 1)
  const waiting = one.watch('b')
  await waiting.next()
  one.close()
  await two.set('a', 2)
  t.is(two.get('a'), 2)
  two.close()
  const third = SharedMap.create(null)
  const change = third.watch('a')
  await change.next()
  const pending = change.next()
  t.true(await isPending(pending))
  third.close()
  await t.throwsAsync(pending, { code: 'ERR_CLOSED' })
  t.deepEqual(files(), [])
})

for (const place of places) {
  test(`a map that is closed during a write has written it, and says so: ${place}`, async t => {
    const there = await startPeer(t, place)
    using mine = SharedMap.create<number>(null, { maxBytes: 1 << 20 })
    const theirs = await there.open(mine)
    t.is(await there.it('deeds').do('closeInWrite', theirs), 'written')
    t.is(mine.get('a'), 1)
    await mine.set('a', 2)
    t.is(mine.get('a'), 2)
  })
}

test('a map travels in the arguments of processes and of tasks, and in a result', async t => {
  const tasks = fixture('map/tasks')
  using map = SharedMap.create<number>(null)
  const child = Process.start(tasks, { run: 'count', args: [map, 'process', 5] })
  using back = (await child.result) as SharedMap<number>
  t.true(back instanceof SharedMap)
  t.is(back.get('process'), 5)
  for (const kind of ['process', 'thread'] as const) {
    const pool = new Pool(tasks, { workers: 2, kind })
    const items = Array.from({ length: 20 }, () => [map, `pool of ${kind}`])
    const counts = (await pool.map('countOne', items)) as number[]
    t.deepEqual(
      counts.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1),
    )
    pool.close()
    await pool.join()
  }
  t.deepEqual(
    [...map],
    [
      ['pool of process', 20],
      ['pool of thread', 20],
      ['process', 5],
    ],
  )
})

test('a database whose maker died between its first pages is completed', async t => {
  const name = unique('half')
  SharedMap.create(name, { persist: true }).close()
  const [file] = files()
  const path = `/dev/shm/${file}`
  truncateSync(path, 4096)
  using map = SharedMap.open(name)
  t.true(statSync(path).size >= 8192)
  await map.set('a', 1)
  t.is(map.get('a'), 1)
  map.unlink()
})

test('a database that was overwritten is refused', t => {
  const name = unique('overwritten')
  const made = SharedMap.create(name, { persist: true })
  made.close()
  truncateSync(`/dev/shm/${files()[0]}`, 0)
  truncateSync(`/dev/shm/${files()[0]}`, 50_000)
  t.throws(() => SharedMap.open(name), { code: 'ERR_CORRUPT', message: /unlink the map and create it again/ })
  t.deepEqual(list().find(object => object.name === name)?.attached, [])
})

test('without the package lmdb, the error says which command installs it', t => {
  const program = `
    const Module = require('node:module')
    const resolve = Module._resolveFilename
    Module._resolveFilename = function (request, ...rest) {
      return resolve.call(this, request === 'lmdb' ? 'lmdb-that-is-not-there' : request, ...rest)
    }
    const { SharedMap } = require('crossmem/map')
    for (const make of [() => SharedMap.create('none'), () => SharedMap.openOrCreate('none'), () => SharedMap.open('none')]) {
      try { make() } catch ({ code, message }) { console.log(code, message) }
    }
    console.log(require('crossmem').list().filter(({ name }) => name === 'none').length)
  `
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' })
  const said =
    "ERR_UNSUPPORTED a SharedMap needs the package lmdb, which crossmem doesn't install: npm install lmdb\n"
  t.is(stdout, `${said.repeat(3)}0\n`, stderr)
})

test('console.log shows a map with its state', async t => {
  using map = SharedMap.create('shown-map')
  await map.set('a', 1)
  t.is(inspect(map), "SharedMap { name: 'shown-map', size: 1, usedBytes: 4096 }")
  map.close()
  t.is(inspect(map), "SharedMap (closed) { name: 'shown-map' }")
})
