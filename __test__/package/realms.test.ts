import '../helpers/domain.js'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual, types } from 'node:util'
import { runInNewContext, runInThisContext } from 'node:vm'
import test from 'ava'
import {
  Barrier,
  CrossmemError,
  FileLock,
  locks,
  MpmcQueue,
  Mutex,
  NDArray,
  Queue,
  SharedArray,
  SharedMemory,
  SpscQueue,
  Value,
} from 'crossmem'
import { unique } from '../helpers/domain.js'
import { root } from '../helpers/paths.js'

/** Evaluates code in a realm of its own: no class of it is one of this realm. */
const foreign = <T>(code: string): T => runInNewContext(code) as T

test('no file of the package asks for the class of a global with instanceof', t => {
  const src = join(root, 'src')
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(file => /\.m?ts$/.test(file))
  t.true(files.length > 50)
  for (const file of files) {
    const code = readFileSync(join(src, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    for (const [, name = ''] of code.matchAll(/\binstanceof\s+(\w+)/g))
      t.false(name in globalThis || name === 'URL', `${file}: instanceof ${name}`)
  }
})

test('bytes of another realm are bytes', async t => {
  const bytes = foreign<Uint8Array>('Uint8Array.of(1, 2, 3)')
  t.false(bytes instanceof Uint8Array)
  using queue = MpmcQueue.create(null)
  queue.pushSync(bytes)
  t.deepEqual(queue.popSync(), Uint8Array.of(1, 2, 3))
  using ring = SpscQueue.create(null)
  using producer = ring.openProducer()
  using consumer = ring.openConsumer()
  producer.pushSync(bytes)
  const room = foreign<Uint8Array>('new Uint8Array(4)')
  t.is(await consumer.popInto(room), 3)
  t.deepEqual([...room], [1, 2, 3, 0])
  t.throws(() => queue.pushSync(foreign('({ length: 3 })')), { code: 'ERR_INVALID_ARG' })
})

test('arrays are made of buffers, typed arrays and nested arrays of another realm', async t => {
  using source = NDArray.from(null, Float32Array.of(1, 2, 3))
  const folder = mkdtempSync(join(tmpdir(), 'crossmem-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  await source.save(join(folder, 'source.npy'))
  const npy = readFileSync(join(folder, 'source.npy'))
  const file = foreign<(length: number) => ArrayBuffer>('length => new ArrayBuffer(length)')(npy.byteLength)
  new Uint8Array(file).set(npy)
  for (const same of [file, foreign<Float32Array>('Float32Array.of(1, 2, 3)')]) {
    using array = NDArray.from(null, same)
    t.is(array.dtype, 'float32')
    t.deepEqual(array.toNested(), [1, 2, 3])
  }
  using nested = NDArray.from(null, foreign<number[][]>('[[1, 2], [3, 4]]'))
  t.deepEqual(nested.toNested(), [
    [1, 2],
    [3, 4],
  ])
  using shared = SharedArray.create(null, 'float32', foreign<Float32Array>('Float32Array.of(1, 2, 3)'))
  t.deepEqual([...shared.data], [1, 2, 3])
})

for (const codec of ['msgpack', 'v8'] as const) {
  test(`values of another realm travel: ${codec}`, t => {
    using queue = Queue.create<unknown>(null, { codec })
    for (const code of [
      'new Map([[1, { a: [1, 2] }]])',
      'new Set([1, "two"])',
      'new Date(5)',
      '[1, , 3]',
      '({ a: { b: 1 } })',
      '/a/g',
      'Float64Array.of(1, 2)',
      'BigInt64Array.of(5n)',
      'new ArrayBuffer(3)',
      'new Number(3)',
    ]) {
      queue.putSync(foreign(code))
      const value = queue.getSync()
      t.true(isDeepStrictEqual(value, runInThisContext(code)), code)
      t.is(Object.prototype.toString.call(value), Object.prototype.toString.call(foreign(code)))
    }
    const error = foreign<Error>('new RangeError("far")')
    queue.putSync(error)
    const got = queue.getSync() as Error
    t.true(types.isNativeError(got))
    t.is(`${got}`, `${error}`)
    using mutex = Mutex.create(null)
    queue.putSync(
      foreign<(handle: object) => unknown>('handle => new Map([[handle, new Set([handle])]])')(mutex),
    )
    const [[key, set]] = [...(queue.getSync() as Map<unknown, Set<unknown>>)] as [[unknown, Set<unknown>]]
    t.deepEqual([key, [...set]], [mutex.toJSON(), [mutex.toJSON()]])
  })
}

/** What jsdom and polyfills have for an AbortSignal: the same members, another class. */
class ForeignSignal extends EventTarget {
  aborted = false
  reason: unknown
  abort(reason: unknown): void {
    this.aborted = true
    this.reason = reason
    this.dispatchEvent(new Event('abort'))
  }
}

test('a signal of another class ends waits', async t => {
  using mutex = Mutex.create(null)
  using queue = Queue.create(null)
  mutex.lockSync()
  for (const wait of [
    (signal: AbortSignal) => mutex.lock({ signal }),
    (signal: AbortSignal) => queue.get({ signal }),
    (signal: AbortSignal) =>
      locks.request('realms', { signal }, () => locks.request('realms', { signal }, () => 0)),
  ]) {
    const signal = new ForeignSignal()
    const ended = wait(signal as unknown as AbortSignal)
    const reason = new Error('enough')
    await new Promise(setImmediate)
    signal.abort(reason)
    await t.throwsAsync(ended as Promise<unknown>, { is: reason })
  }
  await t.throwsAsync(mutex.lock({ signal: {} as never }), { code: 'ERR_INVALID_ARG' })
})

test('URLs of another class are paths', t => {
  const path = join(tmpdir(), unique('realms'))
  const { href, protocol, pathname, hostname, host, search, hash } = pathToFileURL(path)
  const file = FileLock.open({ href, protocol, pathname, hostname, host, search, hash } as URL)
  t.is(file.path, path)
  file.close()
})

test('an asynchronous update is refused, whatever its promise is', t => {
  using value = Value.create(null, 'int32')
  using shared = SharedArray.create(null, 'int32', 2)
  using array = NDArray.create(null, { shape: [2], dtype: 'int32' })
  for (const result of [
    foreign('Promise.resolve(1)'),
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is refused here.
    { then: () => undefined },
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is refused here.
    Object.assign(() => 1, { then: () => undefined }),
    Promise.resolve(1),
  ]) {
    for (const object of [value, shared, array])
      t.throws(() => object.update(() => result as never), {
        code: 'ERR_INVALID_ARG',
        message: /asynchronous/,
      })
    using barrier = Barrier.create(null, 1, { action: () => result as never })
    t.throws(() => barrier.waitSync(), { code: 'ERR_INVALID_ARG' })
  }
  t.deepEqual([value.value, [...shared.data], [...(array.data as Int32Array)]], [0, [0, 0], [0, 0]])
})

test('a CrossmemError is known by its brand', t => {
  const error = t.throws(() => SharedMemory.open(unique('no-such'))) as CrossmemError
  t.true(error instanceof CrossmemError && error instanceof Error)
  t.false(new Error('other') instanceof CrossmemError)
  for (const other of [undefined, null, 1, 'ERR_CLOSED', { code: 'ERR_CLOSED' }])
    t.false((other as unknown) instanceof CrossmemError)
  class Mine extends CrossmemError {}
  t.false(error instanceof Mine)
  t.true(new Mine('ERR_CLOSED', 'mine') instanceof Mine)
  t.true(new Mine('ERR_CLOSED', 'mine') instanceof CrossmemError)
})
