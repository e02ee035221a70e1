import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { MessageChannel, Worker } from 'node:worker_threads'
import ava from 'ava'
import { CrossmemError, gc, list, NDArray, open, SharedMemory } from 'crossmem'
import { unique } from '../helpers/domain.js'
import { fixture } from '../helpers/paths.js'
import { gone, message, start } from '../processes/children.js'
import { hireUser } from '../processes/users.js'

// One after the other: they count what the whole domain has.
const test = ava.serial
const onLinux = process.platform === 'linux'
const file = (name: string): string => `/dev/shm/${name}`

test('two processes see the same bytes, and the last one out removes them', async t => {
  const name = unique('bytes')
  const memory = SharedMemory.create(name, 1000)
  t.is(memory.byteLength, 1000)
  t.is(memory.buffer.byteLength, 1000)
  t.true(memory.bytes.every(byte => byte === 0))
  const other = await hireUser()
  t.is(await other.tell({ do: 'open', reference: name }), 'SharedMemory')
  memory.bytes[999] = 17
  t.is(await other.tell({ do: 'read', at: 999 }), 17)
  await other.tell({ do: 'write', at: 0, value: 250 })
  t.is(memory.bytes[0], 250)
  memory.close()
  t.is(await other.tell({ do: 'read', at: 999 }), 17)
  t.true(list().some(object => object.name === name))
  await other.tell({ do: 'close' })
  t.false(list().some(object => object.name === name))
  if (onLinux) t.false(existsSync(file(name)))
  await other.leave()
})

test('names that cannot be are refused, and nothing is lost', t => {
  const bad = [
    '',
    '/',
    '/a',
    'a/b',
    '.',
    '..',
    'a\0b',
    'new\nline',
    'x'.repeat(300),
    '\ud800',
    'a\udc00b',
    '.crossmem-x',
  ]
  for (const name of bad) {
    for (const use of [
      () => SharedMemory.create(name, 10),
      () => SharedMemory.open(name),
      () => open(name),
    ]) {
      const error = t.throws(use, { instanceOf: CrossmemError }, JSON.stringify(name))
      t.is(error.code, 'ERR_INVALID_NAME', JSON.stringify(name))
    }
  }
  for (const name of [7, {}, true, Symbol('s')]) {
    t.throws(() => SharedMemory.create(name as never, 10), { code: 'ERR_INVALID_NAME' })
    t.throws(() => SharedMemory.open(name as never), { code: 'ERR_INVALID_NAME' })
  }
  for (const good of [
    unique('é冷蔵庫🧊'),
    unique('.hidden'),
    unique('with space'),
    unique('n').padEnd(250, 'x'),
  ]) {
    using memory = SharedMemory.create(good, 10)
    using again = SharedMemory.open(good)
    again.bytes[3] = 3
    t.is(memory.bytes[3], 3)
  }
})

test('sizes that cannot be are refused, and nothing is lost', t => {
  const name = unique('size')
  for (const size of [
    0,
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    '10',
    10n,
    null,
    undefined,
  ]) {
    t.throws(() => SharedMemory.create(name, size as never), { code: 'ERR_INVALID_ARG' }, String(size))
  }
  const error = t.throws(() => SharedMemory.create(name, 2 ** 50), { instanceOf: CrossmemError })
  t.is(error.code, 'ERR_NO_SPACE')
  t.regex(error.message, /1125899906842624 bytes wanted, \d+ free/)
  t.regex(error.message, /shm-size/)
  t.throws(() => SharedMemory.create(name, 10, { persist: 'yes' as never }), { code: 'ERR_INVALID_ARG' })
  using memory = SharedMemory.create(name, 1)
  t.is(memory.bytes.length, 1)
})

test('memory and arrays have the mode and the group that they are made with, on Linux', t => {
  const group = process.getgid?.() ?? 0
  const makers = {
    SharedMemory: (options: object) => SharedMemory.create(null, 10, options),
    NDArray: (options: object) => NDArray.create(null, { shape: [2], ...options }),
    'NDArray.from': (options: object) => NDArray.from(null, Int8Array.of(1, 2), options),
  }
  for (const [maker, make] of Object.entries(makers)) {
    if (!onLinux) {
      t.throws(() => make({ mode: 0o660 }), { code: 'ERR_UNSUPPORTED' }, maker)
      continue
    }
    for (const [options, mode] of [
      [{}, 0o600],
      [{ mode: 0o600 }, 0o600],
      [{ mode: 0o666 }, 0o666],
      [{ group }, 0o660],
      [{ group: String(group), mode: 0o666 }, 0o666],
    ] as const) {
      using made = make(options)
      const found = statSync(file(made.name))
      t.deepEqual([maker, found.mode & 0o7777, found.gid], [maker, mode, group])
    }
    for (const options of [{ mode: 0o640 }, { mode: -1 }, { mode: '660' }, { group: '' }, { group: 1.5 }]) {
      t.throws(() => make(options), { code: 'ERR_INVALID_ARG' }, JSON.stringify(options))
    }
    t.throws(() => make({ group: 'no such group' }), { code: 'ERR_INVALID_ARG', message: /no group/ })
  }
})

test('create refuses an existing name, open a missing one, openOrCreate neither', t => {
  const name = unique('made')
  t.throws(() => SharedMemory.open(name), { code: 'ERR_NOT_FOUND' })
  using made = SharedMemory.openOrCreate(name, 64)
  t.throws(() => SharedMemory.create(name, 64), { code: 'ERR_EXISTS' })
  using again = SharedMemory.openOrCreate(name, 64)
  made.bytes[5] = 5
  t.is(again.bytes[5], 5)
  t.throws(() => SharedMemory.openOrCreate(name, 65), { code: 'ERR_INVALID_ARG' })
  t.is(made.bytes[5], 5)
  using unnamed = SharedMemory.create(null, 8)
  using other = SharedMemory.create(null, 8)
  t.not(unnamed.name, other.name)
  t.is(SharedMemory.open(unnamed.name).byteLength, 8)
})

test('the buffer is one plain ArrayBuffer, and close detaches every view of it', t => {
  const memory = SharedMemory.create(null, 4096)
  t.is(memory.buffer, memory.buffer)
  t.is(Object.getPrototypeOf(memory.buffer), ArrayBuffer.prototype)
  t.is(memory.bytes.buffer, memory.buffer)
  const views = [memory.bytes, new Float64Array(memory.buffer), new DataView(memory.buffer)] as const
  memory.close()
  memory.close()
  t.is(views[0].length, 0)
  t.is(views[1].length, 0)
  t.throws(() => views[2].byteLength, { instanceOf: TypeError })
  for (const use of [() => memory.buffer, () => memory.bytes, () => memory.unlink()]) {
    t.throws(use, { code: 'ERR_CLOSED' })
  }
  t.is(memory.byteLength, 4096)
})

test('attempts to move the buffer away are refused or harmless', t => {
  const name = unique('moved')
  for (const move of [
    (buffer: ArrayBuffer) => structuredClone(buffer, { transfer: [buffer] }),
    (buffer: ArrayBuffer) => (buffer as unknown as { transfer(): ArrayBuffer }).transfer(),
    (buffer: ArrayBuffer) => new MessageChannel().port1.postMessage(buffer, [buffer]),
  ]) {
    const memory = SharedMemory.create(name, 4096)
    memory.bytes.fill(9)
    let moved: unknown
    try {
      moved = move(memory.buffer)
    } catch {
      t.is(memory.bytes[0], 9)
    }
    memory.close()
    if (moved instanceof ArrayBuffer) t.is(new Uint8Array(moved)[4095], 9)
    t.false(list().some(object => object.name === name))
  }
})

test('unlink takes the name away at once, the memory goes with the last handle', t => {
  const name = unique('unlinked')
  using first = SharedMemory.create(name, 16)
  first.bytes[0] = 1
  first.unlink()
  first.unlink()
  t.throws(() => SharedMemory.open(name), { code: 'ERR_NOT_FOUND' })
  using second = SharedMemory.create(name, 32)
  first.unlink()
  t.is(SharedMemory.open(name).byteLength, 32, 'a stale handle does not remove its successor')
  t.is(first.bytes[0], 1)
  t.is(second.bytes[0], 0)
})

test('a persistent object outlives everyone, and is opened again', async t => {
  const name = unique('persistent')
  const maker = await hireUser()
  await maker.tell({ do: 'create', name, byteLength: 10, persist: true })
  await maker.tell({ do: 'write', at: 9, value: 99 })
  await maker.kill()
  gc()
  const memory = SharedMemory.open(name)
  t.true(memory.persist)
  t.is(memory.bytes[9], 99)
  memory.unlink()
  memory.close()
})

test('objects only of a killed process are gone, shared ones are not', async t => {
  const [own, shared] = [unique('own'), unique('shared')]
  using mine = SharedMemory.create(shared, 10)
  const [first, second] = [await hireUser(), await hireUser()]
  await first.tell({ do: 'create', name: own, byteLength: 10 })
  await second.tell({ do: 'open', reference: shared })
  await Promise.all([first.kill(), second.kill()])
  t.true(list().some(object => object.name === own && object.doomed))
  const swept = gc()
  t.deepEqual(swept, { agents: 2, objects: 1, bytes: 10 })
  t.true(list().every(object => object.attached.every(agent => agent.alive)))
  if (onLinux) t.false(existsSync(file(own)))
  t.is(SharedMemory.open(shared).byteLength, mine.byteLength)
  t.throws(() => SharedMemory.open(own), { code: 'ERR_NOT_FOUND' })
})

test('a stopped process is not taken for dead', async t => {
  const name = unique('stopped')
  const other = await hireUser()
  await other.tell({ do: 'create', name, byteLength: 10 })
  other.signal('SIGSTOP')
  t.is(gc().agents, 0)
  using memory = SharedMemory.open(name)
  t.is(memory.byteLength, 10)
  other.signal('SIGCONT')
  t.is(await other.tell({ do: 'read', at: 0 }), 0)
  await other.kill()
})

test('eight processes race for a thousand names: one creator each, and no half-made array', async t => {
  const [prefix, rounds] = [unique('race'), 1000]
  const racers = Array.from({ length: 8 }, () => start('memory/race-to-create', prefix, String(rounds)))
  await Promise.all(racers.map(racer => message(racer)))
  const results = racers.map(racer => message<{ created: number; halfMade: number }>(racer))
  for (const racer of racers) racer.send('go')
  let [created, halfMade] = [0, 0]
  for (const result of await Promise.all(results)) {
    created += result.created
    halfMade += result.halfMade
  }
  t.deepEqual({ created, halfMade }, { created: rounds, halfMade: 0 })
  for (const racer of racers) racer.send('close')
  await Promise.all(racers.map(gone))
  t.false(list().some(object => object.name.startsWith(prefix)))
})

test('a worker is an agent of its own, and terminate() releases its objects', async t => {
  const name = unique('worker')
  const worker = new Worker(fixture('memory/hold-in-worker'), { workerData: name })
  await new Promise(resolve => worker.once('message', resolve))
  const shared = SharedMemory.open(name)
  t.is(shared.bytes[0], 42)
  const threads = list()
    .find(object => object.name === name)
    ?.attached.map(agent => agent.thread)
  t.deepEqual(threads?.sort(), [0, worker.threadId])
  await worker.terminate()
  t.is(shared.bytes[0], 42, 'the bytes stay for us')
  t.deepEqual(
    list()
      .find(object => object.name === name)
      ?.attached.map(agent => agent.thread),
    [0],
  )
  shared.close()
  t.false(list().some(object => object.name === name))
})

if (onLinux) {
  test('thirty thousand cycles leave no descriptor, mapping or memory behind', async t => {
    using memory = SharedMemory.create(unique('cycles'), 65_536)
    const child = start('memory/open-and-close-often', memory.name)
    const left = await message<{ descriptors: number; rss: number; mappings: number }>(child)
    t.is(left.descriptors, 0)
    t.is(left.mappings, 0)
    t.true(left.rss < 32 << 20, `${left.rss} bytes of RSS`)
    await gone(child)
  })
}

test('a handle that is collected gives its memory back, and the object stays until its process ends', async t => {
  const name = unique('dropped')
  const child = start('memory/drop-handles', name)
  t.deepEqual(await message(child), {
    whileViewed: { exists: true, first: 5, isMapped: true },
    after: { exists: true, isMapped: false },
  })
  t.is((await gone(child)).code, 0)
  t.false(list().some(object => object.name === name))
})

test('closing while other threads of the runtime still read the bytes crashes nothing', async t => {
  const child = start('memory/close-under-running-work')
  t.is(await message(child), 'done')
  t.deepEqual(await gone(child), { code: 0, signal: null })
})

for (const end of ['exit', 'throw', 'reject', 'naturally']) {
  test(`a process that ends leaves nothing open: ${end}`, async t => {
    const name = unique('ended')
    await gone(start('memory/end-with-objects-open', name, end))
    t.false(list().some(object => object.name === name))
    if (onLinux) t.false(existsSync(file(name)))
  })
}

const removable = (path: string, flag: '-i' | '+i'): boolean => spawnSync('chattr', [flag, path]).status === 0
const canForbid = onLinux && removable('/dev/shm', '-i')

if (canForbid) {
  test('a name that the system does not let us remove troubles no other object', async t => {
    const name = unique('immovable')
    const other = await hireUser()
    await other.tell({ do: 'create', name, byteLength: 10 })
    t.true(removable(file(name), '+i'))
    t.teardown(() => {
      removable(file(name), '-i')
      gc()
    })
    await other.kill()
    t.is(gc().objects, 0)
    const next = await hireUser()
    t.is(await next.tell({ do: 'create', name: unique('unrelated'), byteLength: 10 }), 10)
    await next.kill()
    removable(file(name), '-i')
    t.is(gc().objects, 2)
    t.false(existsSync(file(name)))
  })
} else {
  test.skip('a name that the system does not let us remove (skipped: no chattr on /dev/shm)', () => undefined)
}
