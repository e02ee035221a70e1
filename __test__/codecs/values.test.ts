import '../helpers/domain.js'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Serializer } from 'node:v8'
import test from 'ava'
import { CrossmemError, FileLock, locks, Mutex, NDArray, Queue, Semaphore } from 'crossmem'
import { Packr } from 'msgpackr'
import { codecFor } from '../../src/codecs/codec.js'
import { CrossmemError as Inner } from '../../src/errors.js'
import { builtIn, clones, same, travel } from '../contracts/codec.js'
import { describe } from '../contracts/describe.js'
import { arrivals, refused, rows, runtime } from '../contracts/values.js'

for (const codec of clones) {
  for (const [kind, make] of Object.entries(rows)) {
    test(`${codec} carries what the documentation lists: ${kind}`, t => {
      const expected = (arrivals[kind] ?? make)(runtime)
      t.is(describe(travel(codec, make(runtime))), describe(expected))
      const inside = (value: unknown) => ({ before: [1], inside: new Map([[value, [value]]]) })
      t.is(describe(travel(codec, inside(make(runtime)))), describe(inside(expected)))
    })
  }

  test(`${codec} carries a CrossmemError as one, also of another copy of the package`, t => {
    // The tests have two copies of the class: what people import, and what `src` compiles to here.
    for (const Class of [CrossmemError, Inner]) {
      const error = new Class('ERR_TIMEOUT', 'too late', { cause: 1 })
      const back = travel(codec, [error]) as [Inner]
      t.true(back[0] instanceof Inner)
      t.deepEqual([back[0].code, back[0].message, back[0].cause], ['ERR_TIMEOUT', 'too late', 1])
      t.is(back[0].stack, error.stack)
      t.deepEqual(Object.keys(back[0]), Object.keys(error))
    }
  })

  test(`${codec} carries a DOMException as one`, t => {
    const aborted = AbortSignal.abort().reason as DOMException
    const back = travel(codec, { aborted, again: aborted }) as Record<string, DOMException>
    t.true(back.aborted instanceof DOMException)
    t.is(back.again, back.aborted)
    const { message, name, code, stack } = aborted
    t.like(back.aborted, { message, name, code, stack })
  })

  test(`${codec} sends a view's bytes, and not those around it`, t => {
    const large = new ArrayBuffer(1 << 20)
    for (const view of [
      new Uint8Array(large, 8, 2),
      new Float64Array(large, 8, 2),
      new DataView(large, 8, 2),
    ]) {
      const value = new Map([['view', view]])
      t.true(codecFor<unknown>(codec).encode(value).length < 200)
    }
  })
}

for (const [kind, make] of Object.entries(refused)) {
  test(`every codec refuses what can't travel, and says where: ${kind}`, t => {
    // JSON leaves these out, or has `{}` for them, as it is documented.
    const isJsons = ['function', 'symbol', 'detached view'].includes(kind)
    for (const codec of isJsons ? clones : builtIn) {
      const { encode } = codecFor<unknown>(codec)
      t.throws(() => encode(make()), { code: 'ERR_INVALID_ARG', message: /^value can't be sent: / })
      t.throws(() => encode({ jobs: ['a', { bad: make() }] }), {
        code: 'ERR_INVALID_ARG',
        message: /^value\.jobs\[1\]\.bad can't be sent: /,
      })
    }
    for (const codec of clones) {
      const { encode } = codecFor<unknown>(codec)
      t.throws(() => encode(new Error('e', { cause: { bad: make() } })), {
        code: 'ERR_INVALID_ARG',
        message: /^value\.cause\.bad can't be sent: /,
      })
    }
  })
}

test('every codec refuses objects of ours that are no handles, and so does JSON', async t => {
  using array = NDArray.create(null, { shape: [2, 3] })
  using mutex = Mutex.create(null)
  using guard = mutex.lockSync()
  using semaphore = Semaphore.create(null)
  using permit = semaphore.acquireSync()
  using queue = Queue.create(null)
  queue.putSync(1)
  using message = queue.receiveSync()
  using file = FileLock.open(join(mkdtempSync(join(tmpdir(), 'codec-')), 'file'))
  using held = file.lockSync()
  const lock = await locks.request('codec', lock => lock)
  for (const stays of [array.subarray(0), guard, permit, message, file, held, locks, lock]) {
    for (const codec of builtIn) {
      const { encode } = codecFor<unknown>(codec)
      t.throws(() => encode({ list: [{ stays }] }), {
        code: 'ERR_INVALID_ARG',
        message: /^value\.list\[0\]\.stays can't be sent: .*; /,
      })
    }
    t.throws(() => JSON.stringify({ stays }), { code: 'ERR_INVALID_ARG', message: /^a \w+ can't be sent: / })
  }
})

test('objects of an addon are refused, since they have more than properties', t => {
  for (const codec of clones) {
    const { encode } = codecFor<unknown>(codec)
    t.throws(() => encode({ serializer: new Serializer() }), {
      code: 'ERR_INVALID_ARG',
      message: /^value\.serializer /,
    })
  }
})

test('another implementation of MessagePack reads plain data, and is read', t => {
  const { encode, decode } = codecFor<unknown>('msgpack')
  const other = new Packr({ useRecords: false, variableMapSize: true })
  for (const kind of ['numbers', 'strings', 'objects', 'arrays']) {
    // Undefined values are no plain data.
    const value = JSON.parse(JSON.stringify(rows[kind]?.(runtime)))
    same(t, other.decode(Buffer.from(encode(value))), value)
    same(t, decode(other.encode(value)), value)
  }
})
