import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import ava, { type ExecutionContext } from 'ava'
import { Event, list, move, Pipe, Process, Queue, release } from 'crossmem'
import { openDescriptors } from '../helpers/descriptors.js'
import { unique } from '../helpers/domain.js'
import { collectUntil, names } from '../helpers/garbage.js'
import { fixture } from '../helpers/paths.js'
import { pack, unpack } from '../processes/packing.js'

const test = ava.serial
const LARGE = 1 << 16
const isLinux = process.platform === 'linux'

function start(t: ExecutionContext, run: string, args: unknown[], options = {}): Process {
  const child = Process.start(fixture('process/shares'), { run, args, ...options })
  t.teardown(() => child.kill())
  return child
}

const filled = (length: number): Uint8Array => new Uint8Array(length).map((_, i) => i * 7)
const nothingIsLeft = (): Promise<void> => collectUntil(() => list().length === 0)
const gone = (name: string): Promise<void> => collectUntil(() => !names().includes(name))

test('large arrays arrive whole, of every class, in every place, and come back', async t => {
  const bytes = filled(2 * LARGE)
  const value = [
    bytes,
    Buffer.from(bytes),
    new Map([[{ key: new Float64Array(bytes.buffer) }, new Set([new BigInt64Array(bytes.slice().buffer)])]]),
    { view: new DataView(bytes.slice().buffer), buffer: bytes.slice().buffer },
    new Float32Array(1 << 15).fill(1.5),
    new Uint8Array(new SharedArrayBuffer(LARGE)).fill(3),
    Object.assign(new Error('large'), { data: bytes }),
    bytes.subarray(1, LARGE + 9),
    new Uint8Array(LARGE - 1).fill(5),
  ]
  const [first, ...rest] = (await start(t, 'echo', value).result) as unknown[]
  t.deepEqual(first, bytes)
  t.deepEqual(rest.slice(0, 4), value.slice(1, 5))
  t.deepEqual(rest[4], new Uint8Array(LARGE).fill(3))
  t.deepEqual((rest[5] as { data: unknown }).data, bytes)
  t.deepEqual(rest.slice(6), value.slice(7))
})

test('views of one buffer show one buffer, and the sender keeps its own', async t => {
  const buffer = new ArrayBuffer(2 * LARGE)
  const head = new Uint8Array(buffer, 0, 16).fill(9)
  const body = new Float64Array(buffer, 64)
  t.deepEqual(await start(t, 'write', [{ head, body }, body]).result, [true, true, 64, 9])
  t.is(body[0], 0)
})

test('of a buffer that is much larger than what is shown, only that travels', t => {
  const buffer = new ArrayBuffer(64 * LARGE)
  const shown = [
    new Uint8Array(buffer, 10, LARGE).fill(1),
    new Uint8Array(buffer, LARGE, LARGE).fill(2),
    new Float64Array(buffer, 32 * LARGE, LARGE / 8).fill(3),
    new Uint8Array(buffer, 63 * LARGE, 8).fill(4),
  ] as const
  const packed = pack(shown)
  const sizes = list().filter(({ name }) => packed.references.some(reference => reference.name === name))
  t.deepEqual(sizes.map(({ byteLength }) => byteLength).sort(), [2 * LARGE, LARGE].sort())
  const [a, b, c, d] = unpack(packed.bytes).value as [Uint8Array, Uint8Array, Float64Array, Uint8Array]
  packed.release()
  t.deepEqual([a, b, c, d], [...shown])
  t.is(a.buffer, b.buffer)
  for (const array of [a, c]) release(array)
})

test('with `share: false`, bytes are copied', async t => {
  await nothingIsLeft()
  const shared = (await start(t, 'memories', [filled(LARGE)]).result) as string[]
  t.deepEqual(shared, ['SharedMemory'])
  await nothingIsLeft()
  t.deepEqual(await start(t, 'memories', [filled(LARGE)], { share: false }).result, [])
  const [copy] = (await start(t, 'echo', [filled(LARGE)], { share: false }).result) as [Uint8Array]
  t.deepEqual(copy, filled(LARGE))
  t.deepEqual(list(), [])
  t.throws(() => start(t, 'echo', [], { share: 1 }), { code: 'ERR_INVALID_ARG', message: /share/ })
})

for (const how of ['collected', 'released'] as const) {
  test(`memory goes when the receiver has ${how} it`, async t => {
    await nothingIsLeft()
    using told = Queue.create(null)
    await start(t, 'letGo', [how, filled(LARGE), told]).result
    const [name, length] = (await told.get()) as [string, number]
    t.is(length, 0)
    t.false(names().includes(name))
  })
}

test('the memory of a result goes when it was collected, or released', async t => {
  await nothingIsLeft()
  // No variable of this test has the process, which has its result.
  const arrays: Uint8Array[] = []
  async function getTwo(): Promise<void> {
    const args = [filled(LARGE), filled(3 * LARGE)]
    const child = Process.start(fixture('process/shares'), { run: 'echo', args })
    arrays.push(...((await child.result) as Uint8Array[]))
    await child.join()
  }
  await getTwo()
  const releaseTwo = (): void => {
    const view = arrays[1]?.subarray(5) as Uint8Array
    release(view)
    release(view)
  }
  releaseTwo()
  t.is(arrays[1]?.length, 0)
  await collectUntil(() => list().length === 1)
  t.true(arrays[0]?.every((byte, i) => byte === ((i * 7) & 0xff)))
  arrays.length = 0
  await nothingIsLeft()
  t.deepEqual(list(), [])
})

test('what was transferred stays as long as its new owner', async t => {
  const packed = pack(filled(LARGE))
  const { name } = packed.references[0] as { name: string }
  const owner: { buffer?: ArrayBuffer } = {}
  const transfer = (): number => {
    const array = unpack(packed.bytes).value as Uint8Array
    const buffer = array.buffer as ArrayBuffer
    owner.buffer = structuredClone(buffer, { transfer: [buffer] })
    release(array)
    return array.length
  }
  t.is(transfer(), 0)
  packed.release()
  // Other arrays of this length come and go, and none gets this memory.
  for (let i = 0; i < 10; i++) {
    const other = pack(new Uint8Array(LARGE))
    release(unpack(other.bytes).value as Uint8Array)
    other.release()
  }
  t.true(names().includes(name))
  const isWhole = (): boolean =>
    Buffer.compare(new Uint8Array(owner.buffer as ArrayBuffer), filled(LARGE)) === 0
  t.true(isWhole())
  owner.buffer = undefined
  await gone(name)
  t.false(names().includes(name))
})

test('kept memory is used again only when no process has it', t => {
  const first = pack(filled(LARGE))
  const array = unpack(first.bytes).value as Uint8Array
  first.release()
  const second = pack(new Uint8Array(LARGE))
  t.not(second.references[0]?.name, first.references[0]?.name)
  t.deepEqual(array, filled(LARGE))
  second.release()
  release(array)
  const third = pack(new Uint8Array(LARGE).fill(1))
  t.is(third.references[0]?.name, first.references[0]?.name)
  third.release()
})

test('a process that is killed before it opened an array gives it back at once', async t => {
  const [isHere, mayGoOn] = [Event.create(unique('here')), Event.create(unique('gate'))]
  for (const event of [isHere, mayGoOn]) t.teardown(() => event.close())
  const env = { ...process.env, GATES: [isHere, mayGoOn].map(({ name }) => name).join() }
  const before = new Set(names())
  const child = start(t, 'echo', [filled(5 * LARGE)], {
    env,
    execArgv: ['--require', fixture('process/wait-before')],
  })
  const [name] = names().filter(name => !before.has(name)) as [string]
  await isHere.wait()
  child.kill()
  await t.throwsAsync(child.result, { code: 'ERR_PEER_DIED' })
  await gone(name)
  t.false(names().includes(name))
})

test('a process that is killed while it has an array gives it back', async t => {
  using isHeld = Event.create(null)
  const before = new Set(names())
  const child = start(t, 'hold', [filled(5 * LARGE), isHeld])
  const [name] = names().filter(name => !before.has(name)) as [string]
  await isHeld.wait()
  t.true(names().includes(name))
  child.kill()
  await child.join()
  await gone(name)
  t.false(names().includes(name))
})

test('if the sender is killed, what was opened stays, and what was not is ERR_PEER_DIED', async t => {
  using queue = Queue.create<Uint8Array>(null)
  const first = start(t, 'sendTo', [queue, 6 * LARGE])
  const array = unpack(await queue.get()).value as Uint8Array
  first.kill()
  await first.join()
  t.deepEqual(array, new Uint8Array(6 * LARGE).fill(7))
  const second = start(t, 'sendTo', [queue, 6 * LARGE])
  const bytes = await queue.get()
  second.kill()
  await second.join()
  t.throws(() => unpack(bytes), { code: 'ERR_PEER_DIED', message: /large array/ })
  release(array)
  await collectUntil(() => list().length === 1)
})

for (const isMoved of [false, true]) {
  test(`1,000 rounds leave no object, descriptor or mapping (${isMoved ? 'moved' : 'copied'})`, async t => {
    const mappings = (): number =>
      isLinux ? readFileSync('/proc/self/maps', 'utf8').split('/dev/shm/crossmem').length : 0
    const [mine, yours] = Pipe.create<Uint8Array>()
    const child = start(t, 'countUp', [yours, isMoved])
    yours.close()
    let array = new Float64Array(LARGE / 8)
    let before: string[] = []
    for (let i = 1; i <= 1000; i++) {
      const packed = pack(isMoved ? move(array) : array)
      await mine.send(packed.bytes)
      array = unpack(await mine.recv()).value as typeof array
      packed.release()
      await mine.send(new Uint8Array(0))
      if (array[0] !== i) break
      if (i === 10) before = openDescriptors()
    }
    t.is(array[0], 1000)
    t.deepEqual(openDescriptors(), before)
    mine.close()
    await child.join()
    array = new Float64Array(0)
    await collectUntil(() => list().length === 0 && mappings() === 1)
    t.is(array.length, 0)
  })
}

test('what is moved leaves this process, and goes on without a copy', async t => {
  await nothingIsLeft()
  const array = filled(LARGE)
  const child = start(t, 'passOn', [move(array)])
  t.is(array.length, 0)
  const [there, moved] = (await child.result) as [string[], Uint8Array]
  await child.join()
  t.deepEqual(moved, filled(LARGE))
  // The object is the one that the process had.
  await collectUntil(() => list().length === 1)
  t.deepEqual(names(), there)
  const small = Uint8Array.of(1, 2)
  pack([move(small)], { share: false }).release()
  t.is(small.length, 0)
  release(moved)
  await nothingIsLeft()
})

test('bad input is refused', t => {
  t.throws(() => move({} as never), { code: 'ERR_INVALID_ARG', message: /typed array/ })
  t.throws(() => release(1 as never), { code: 'ERR_INVALID_ARG', message: /typed array/ })
  const mine = filled(LARGE)
  release(mine)
  t.is(mine.length, LARGE)
  const { bytes, release: giveBack } = pack(filled(LARGE))
  for (let i = 0; i < bytes.length; i++) {
    for (const byte of [0, 0xff, (bytes[i] as number) ^ 1]) {
      const scribbled = Uint8Array.from(bytes)
      scribbled[i] = byte
      try {
        for (const array of [unpack(scribbled).value].flat()) if (ArrayBuffer.isView(array)) release(array)
      } catch (error) {
        t.regex(String((error as { code?: unknown }).code), /^ERR_/, `${i}: ${error}`)
      }
    }
    t.throws(() => unpack(bytes.subarray(0, i)), { code: 'ERR_CORRUPT' })
  }
  giveBack()
})

const inSmallShm = (command: string): string[] => [
  '--mount',
  'sh',
  '-c',
  `mount -t tmpfs -o size=8m tmpfs /dev/shm && ${command}`,
]
const possible = isLinux && spawnSync('unshare', inSmallShm('true')).status === 0

if (possible) {
  test('if /dev/shm is full, arrays are copied', t => {
    const command = `"${process.execPath}" "${fixture('process/send-beside-full-memory')}"`
    const { stdout, stderr, status } = spawnSync('unshare', inSmallShm(command), { encoding: 'utf8' })
    t.is(status, 0, stderr)
    const { shared, areWhole } = JSON.parse(stdout)
    t.true(shared > 0 && shared < 20, `${shared} of 20`)
    t.true(areWhole)
  })
} else {
  test.skip('if /dev/shm is full, arrays are copied (skipped: no mount namespace to be had)', () => undefined)
}
