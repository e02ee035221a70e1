import '../helpers/domain.js'
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  promises,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import ava from 'ava'
import { CrossmemError, FileLock, FileLockGuard } from 'crossmem'
import type { FileLockOrders } from '../fixtures/file-locks/obey-file-lock.js'
import type { FileLockOrders as PythonOrders } from '../fixtures/python/orders.js'
import { unique } from '../helpers/domain.js'
import { fixture } from '../helpers/paths.js'
import { isPending } from '../helpers/pending.js'
import { pythonTest } from '../helpers/python.js'
import { type Hired, hire } from '../processes/hire.js'

const test = ava.serial
const onLinux = process.platform === 'linux'
const onWindows = process.platform === 'win32'
let folder: string

ava.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'crossmem-'))
})

ava.after.always(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** A path that no other test uses. */
const somewhere = (): string => join(folder, unique('lock'))

/** Another process that has this file open to lock it. */
const neighbour = (path: string) => hire<FileLockOrders>('file-locks/obey-file-lock', { args: [path] })

async function hirePython(path: string): Promise<Hired<PythonOrders>> {
  const python = await hire<PythonOrders>('python/file-lock', { as: 'python' })
  await python.tell({ do: 'open_file', path })
  return python
}

test('withLock holds the lock while its callback runs, and releases it however that ends', async t => {
  const path = somewhere()
  using ours = FileLock.open(path)
  using theirs = FileLock.open(path)
  const result = await ours.withLock(
    async guard => {
      t.deepEqual([guard.shared, guard.start, guard.length], [true, 4, 2])
      t.is(inspect(ours), `FileLock { path: '${path}', held: 1 }`)
      await Promise.resolve()
      t.is(theirs.tryLock({ start: 5 }), undefined)
      return 'done'
    },
    { shared: true, start: 4, length: 2 },
  )
  t.is(result, 'done')
  const failure = new Error('mine')
  const failed = await t.throwsAsync(
    ours.withLock(() => {
      throw failure
    }),
  )
  t.is(failed, failure)
  theirs.lockSync({ timeout: 0 }).release()
  const refused = await t.throwsAsync<CrossmemError>(ours.withLock(5 as never))
  t.is(refused.code, 'ERR_INVALID_ARG')
})

test('a lock excludes other handles of the file, until it is released', t => {
  const path = somewhere()
  using ours = FileLock.open(path)
  using theirs = FileLock.open(pathToFileURL(path))
  t.deepEqual([ours.path, theirs.path], [path, path])
  const guard = ours.lockSync()
  t.true(guard instanceof FileLockGuard)
  t.deepEqual([guard.shared, guard.start, guard.length, guard.isReleased], [false, 0, 0, false])
  t.is(theirs.tryLock(), undefined)
  t.is(theirs.tryLock({ shared: true, start: 1e15, length: 1 }), undefined)
  t.throws(() => theirs.lockSync({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
  t.throws(() => theirs.lockSync({ timeout: 5 }), { code: 'ERR_TIMEOUT' })
  guard.release()
  t.true(guard.isReleased)
  t.throws(() => guard.release(), { code: 'ERR_LOST_OWNERSHIP', message: /once/ })
  guard[Symbol.dispose]()
  t.throws(() => theirs.tryLock({ timeout: 0 } as object), { code: 'ERR_INVALID_ARG' })
  const next = theirs.tryLock()
  t.false(next?.isReleased)
  theirs.close()
  theirs.close()
  t.true(next?.isReleased)
  t.throws(() => next?.release(), { code: 'ERR_LOST_OWNERSHIP', message: /closed/ })
  next?.[Symbol.dispose]()
  t.false(ours.tryLock()?.isReleased)
})

test('ranges that do not overlap are independent; shared locks are shared', t => {
  const path = somewhere()
  using ours = FileLock.open(path)
  using theirs = FileLock.open(path)
  const guard = ours.lockSync({ start: 10, length: 10 })
  t.deepEqual([guard.start, guard.length], [10, 10])
  t.truthy(theirs.tryLock({ length: 10 }))
  t.truthy(theirs.tryLock({ start: 20 }))
  for (const start of [5, 10, 19]) t.is(theirs.tryLock({ start, length: 6, shared: true }), undefined)
  guard.release()
  const reading = ours.lockSync({ start: 10, length: 5, shared: true })
  t.true(reading.shared)
  const alsoReading = theirs.tryLock({ start: 12, length: 8, shared: true })
  t.truthy(alsoReading)
  alsoReading?.release()
  t.is(theirs.tryLock({ start: 12, length: 8 }), undefined)
  reading.release()
  t.truthy(theirs.tryLock({ start: 12, length: 8 }))
})

test('the end of the range is open, and numbers may be as large as they get', t => {
  const path = somewhere()
  using ours = FileLock.open(path)
  using theirs = FileLock.open(path)
  const last = Number.MAX_SAFE_INTEGER
  ours.lockSync({ start: last, length: last })
  t.is(theirs.tryLock(), undefined)
  t.is(theirs.tryLock({ start: last }), undefined)
  t.truthy(theirs.tryLock({ length: last }))
})

test('one FileLock does not merge or convert its own locks', async t => {
  const path = somewhere()
  using file = FileLock.open(path)
  using others = FileLock.open(path)
  const guard = file.lockSync({ start: 10, length: 10 })
  for (const shared of [false, true]) {
    t.is(file.tryLock({ start: 15, shared }), undefined)
    t.throws(() => file.lockSync({ start: 15, shared }), { code: 'ERR_DEADLOCK', message: /release/ })
    t.throws(() => file.lockSync({ start: 15, shared, timeout: 0 }), { code: 'ERR_DEADLOCK' })
  }
  const waiting = file.lock({ start: 15, shared: true })
  t.true(await isPending(waiting))
  guard.release()
  const shared = await waiting
  t.true(shared.shared)
  t.throws(() => file.lockSync(), { code: 'ERR_DEADLOCK' })

  const same = file.lockSync({ start: 15, shared: true })
  const part = file.lockSync({ start: 30, length: 5, shared: true })
  shared.release()
  t.is(others.tryLock({ start: 15, length: 1 }), undefined)
  same.release()
  t.is(others.tryLock({ start: 34, length: 1 }), undefined)
  t.truthy(others.tryLock({ start: 15, length: 15 }))
  t.truthy(others.tryLock({ start: 35 }))
  part.release()
  t.truthy(others.tryLock({ start: 30, length: 5 }))
})

test('waiters in one FileLock are served in order, also behind one that gives up', async t => {
  using file = FileLock.open(somewhere())
  const order: string[] = []
  const pass = async (name: string, shared: boolean, signal?: AbortSignal): Promise<void> => {
    await using guard = await file.lock({ shared, signal, start: 5, length: 5 })
    order.push(`${name}${guard.isReleased ? ' without a lock' : ''}`)
  }
  const guard = file.lockSync()
  const [leaves, leaving] = [new AbortController(), new Error('left')]
  const all = [
    pass('a', false),
    pass('b', true),
    pass('c', true),
    t.throwsAsync(pass('never', false, leaves.signal), { is: leaving }),
    pass('d', true),
    pass('e', false),
  ]
  leaves.abort(leaving)
  t.deepEqual(order, [])
  guard.release()
  await Promise.all(all)
  t.deepEqual(order, ['a', 'b', 'c', 'd', 'e'])
  t.truthy(file.tryLock())
})

test('ten thousand can wait in one FileLock and leave together', async t => {
  using file = FileLock.open(somewhere())
  const guard = file.lockSync()
  const all = Array.from({ length: 10_000 }, () => file.lock({ shared: true }))
  guard.release()
  for (const shared of await Promise.all(all)) shared.release()
  const rejected = file.lockSync()
  const refused = Promise.allSettled(Array.from({ length: 10_000 }, () => file.lock()))
  file.close()
  t.true(rejected.isReleased)
  for (const { status } of await refused) t.is(status, 'rejected')
})

test('a wait ends with its signal, its timeout or the FileLock', async t => {
  const path = somewhere()
  using ours = FileLock.open(path)
  const theirs = FileLock.open(path)
  const guard = ours.lockSync({ length: 10 })
  const controller = new AbortController()
  const reason = new Error('we changed our minds')
  const aborted = t.throwsAsync(theirs.lock({ signal: controller.signal }), { is: reason })
  controller.abort(reason)
  await aborted
  await t.throwsAsync(theirs.lock({ signal: controller.signal, start: 10 }), { is: reason })
  await t.throwsAsync(theirs.lock({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
  await t.throwsAsync(theirs.lock({ timeout: 20 }), { code: 'ERR_TIMEOUT', message: /20 ms/ })
  const behind = t.throwsAsync(theirs.lock({ timeout: 30 }), { code: 'ERR_TIMEOUT' })
  await t.throwsAsync(theirs.lock({ timeout: 20 }), { code: 'ERR_TIMEOUT' })
  await behind
  const closed = t.throwsAsync(theirs.lock(), { code: 'ERR_CLOSED' })
  theirs.close()
  await closed
  await t.throwsAsync(theirs.lock(), { code: 'ERR_CLOSED' })
  t.throws(() => theirs.tryLock(), { code: 'ERR_CLOSED' })
  t.throws(() => theirs.lockSync(), { code: 'ERR_CLOSED' })
  guard.release()
  t.truthy(ours.tryLock())
})

test('opening leaves the contents of the file, and creates it only with `create`', t => {
  const path = somewhere()
  t.throws(() => FileLock.open(path, { create: false }), { code: 'ERR_NOT_FOUND', message: /create: true/ })
  t.throws(() => FileLock.open(join(path, 'deeper')), { code: 'ERR_NOT_FOUND', message: /directory/ })
  FileLock.open(path, { mode: 0o640 }).close()
  t.is(readFileSync(path, 'utf8'), '')
  if (!onWindows) t.is(statSync(path).mode & 0o777, 0o640 & ~process.umask())
  writeFileSync(path, 'contents')
  using file = FileLock.open(path, { create: false })
  file.lockSync().release()
  t.is(readFileSync(path, 'utf8'), 'contents')
  t.throws(() => FileLock.open(join(path, 'deeper')), { instanceOf: CrossmemError })
})

test('invalid arguments are refused', async t => {
  const bad = (act: () => unknown, hint: RegExp) =>
    t.throws(act, { instanceOf: CrossmemError, code: 'ERR_INVALID_ARG', message: hint })
  for (const path of ['', undefined, null, 5, {}, Buffer.from('x')])
    bad(() => FileLock.open(path as string), /path/)
  bad(() => FileLock.open('a\0b'), /path/)
  bad(() => FileLock.open(new URL('https://example.com/')), /URL/)
  bad(() => FileLock.open(folder), /plain file/)
  bad(() => FileLock.open(folder, { create: false }), /plain file/)
  bad(() => FileLock.open(somewhere(), { create: 1 as never }), /create/)
  for (const mode of [-1, 1.5, 0o10000, '644'])
    bad(() => FileLock.open(somewhere(), { mode: mode as number }), /mode/)
  bad(() => new (FileLock as unknown as new () => FileLock)(), /FileLock.open/)
  bad(() => new (FileLockGuard as unknown as new () => FileLockGuard)(), /tryLock/)
  using file = FileLock.open(somewhere())
  const options = [
    [{ start: -1 }, /start/],
    [{ start: 2 ** 53 }, /start/],
    [{ start: '0' }, /start/],
    [{ length: 0.5 }, /length/],
    [{ length: Number.NaN }, /length/],
    [{ shared: 1 }, /shared/],
    [{ timeout: -1 }, /timeout/],
    [{ signal: {} }, /signal/],
    [{ unref: 1 }, /unref/],
  ] as const
  for (const [option, message] of options) {
    const wrong = option as object
    await t.throwsAsync(file.lock(wrong), { code: 'ERR_INVALID_ARG', message })
    if ('signal' in option || 'unref' in option) continue
    bad(() => file.lockSync(wrong), message)
    if (!('timeout' in option)) bad(() => file.tryLock(wrong), message)
  }
  t.truthy(file.tryLock())
  if (!onWindows) bad(() => FileLock.open('/dev/null'), /plain file/)
})

const asNobody = ['setpriv', '--reuid=1001', '--regid=1001', '--clear-groups']
// The folder of other tests is closed to other users.
const hasOtherUsers =
  onLinux && spawnSync(asNobody[0] as string, [...asNobody.slice(1), process.execPath, '-v']).status === 0

if (onLinux) {
  test('a file that nobody may write is locked shared, and not otherwise', async t => {
    using file = FileLock.open('/proc/sys/kernel/ostype')
    using other = FileLock.open('/proc/sys/kernel/ostype', { create: false })
    const guards = [file.lockSync({ shared: true }), other.lockSync({ shared: true })]
    t.true(guards.every(guard => guard.shared))
    for (const guard of guards) guard.release()
    const refusal = { code: 'ERR_PERMISSION', message: /may not write the file/ }
    t.throws(() => file.tryLock(), refusal)
    t.throws(() => file.lockSync(), refusal)
    await t.throwsAsync(file.lock({ start: 5 }), refusal)
  })
}

if (hasOtherUsers) {
  test('permission to read is enough for a shared lock, and permission to write for another', async t => {
    const open = mkdtempSync(join(tmpdir(), 'crossmem-open-'))
    chmodSync(open, 0o755)
    t.teardown(() => rmSync(open, { recursive: true }))
    const program = fixture('file-locks/lock-what-is-allowed')
    const tell = (path: string) => {
      const ran = spawnSync(asNobody[0] as string, [...asNobody.slice(1), process.execPath, program, path], {
        encoding: 'utf8',
      })
      return JSON.parse(ran.stdout || `"${ran.stderr}"`)
    }
    const path = join(open, 'file')
    for (const [mode, shared, exclusive] of [
      [0o666, 'locked', 'locked'],
      [0o644, 'locked', 'ERR_PERMISSION'],
      [0o622, 'ERR_PERMISSION', 'locked'],
    ] as const) {
      writeFileSync(path, '')
      chmodSync(path, mode)
      t.deepEqual(tell(path), { shared, exclusive }, mode.toString(8))
    }
    using mine = FileLock.open(path)
    chmodSync(path, 0o644)
    const guard = mine.lockSync()
    t.deepEqual(
      tell(path),
      { shared: 'held', exclusive: 'ERR_PERMISSION' },
      'an exclusive lock excludes a reader',
    )
    guard.release()
    await mine.lock({ shared: true })
    t.deepEqual(tell(path), { shared: 'locked', exclusive: 'ERR_PERMISSION' })
    chmodSync(path, 0o600)
    t.deepEqual(tell(path), { open: 'ERR_PERMISSION' })
    t.deepEqual(
      tell(join(open, 'missing')),
      { open: 'ERR_PERMISSION' },
      'its directory may not be written to',
    )
  })
} else {
  test.skip('permission to read is enough for a shared lock (skipped: no other user to be had)', () =>
    undefined)
}

test('other descriptors of the file come and go without freeing it', async t => {
  const path = somewhere()
  using file = FileLock.open(path)
  file.lockSync()
  FileLock.open(path).close()
  if (!onWindows) {
    readFileSync(path)
    closeSync(openSync(path, 'r+'))
  }
  const other = await neighbour(path)
  t.false(await other.tell({ do: 'try' }))
  await other.kill()
  if (onLinux) t.false(execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' }).includes(path))
})

test('a process waits for another, and gets the lock when that releases it', async t => {
  const path = somewhere()
  using file = FileLock.open(path)
  const other = await neighbour(path)
  t.is(await other.tell({ do: 'lock' }), 'locked')
  const waiting = file.lock()
  t.is(file.tryLock(), undefined)
  t.false(await other.tell({ do: 'try' }), 'the other one holds it itself')
  t.true(await isPending(waiting))
  await other.kill()
  const guard = await waiting

  const next = await neighbour(path)
  const theirs = next.begin({ do: 'lockSync' })
  await theirs.waits
  guard.release()
  t.is(await theirs.result, 'locked')
  t.is(file.tryLock(), undefined)
  t.is(await next.tell({ do: 'release' }), 'released')
  t.truthy(file.tryLock())
  await next.kill()
})

test('a process that is killed or exits frees its lock, and the lock it waited for stays free', async t => {
  const path = somewhere()
  using file = FileLock.open(path)
  for (const end of ['kill', 'exit'] as const) {
    const holder = await neighbour(path)
    t.true(await holder.tell({ do: 'try' }))
    const waiter = await neighbour(path)
    await waiter.begin({ do: 'lockSync' }).waits
    const ours = file.lock()
    t.true(await isPending(ours))
    await waiter.kill()
    if (end === 'kill') await holder.kill()
    else void holder.tell({ do: 'exit' })
    const guard = await ours
    await holder.gone()
    guard.release()
  }
})

test('an unreferenced wait does not keep its process', async t => {
  const path = somewhere()
  using file = FileLock.open(path)
  file.lockSync()
  const other = await neighbour(path)
  void other.tell({ do: 'waitUnreferenced' })
  t.deepEqual(await other.gone(), { code: 0, signal: null })
})

test('a worker that is terminated frees its lock, also while it waits', async t => {
  const path = somewhere()
  using file = FileLock.open(path)
  const program = fixture('file-locks/lock-file-in-worker')
  const worker = new Worker(program, { workerData: path })
  const said: unknown[] = []
  while (said.length < 2) said.push((await once(worker, 'message'))[0])
  t.deepEqual(said, ['locking', 'holding'])
  t.is(file.tryLock(), undefined)
  await worker.terminate()
  const guard = file.tryLock()
  t.truthy(guard)

  const waiting = new Worker(program, { workerData: path })
  t.deepEqual(await once(waiting, 'message'), ['locking'])
  await waiting.terminate()
  guard?.release()
  t.truthy(file.tryLock())
})

test('many waiters leave the thread pool alone', async t => {
  const path = somewhere()
  using ours = FileLock.open(path)
  const guard = ours.lockSync()
  const files = Array.from({ length: 64 }, () => FileLock.open(path))
  const waiting = files.map(async file => {
    await using _ = await file.lock()
    return file
  })
  t.is(await promises.readFile(__filename, 'utf8'), readFileSync(__filename, 'utf8'))
  t.true(await isPending(Promise.race(waiting)))
  guard.release()
  for (const file of await Promise.all(waiting)) file.close()
})

pythonTest('Python: a lock of one side makes the other side wait, or is refused', async t => {
  const path = somewhere()
  using file = FileLock.open(path)
  const python = await hirePython(path)

  t.is(await python.tell({ do: 'lock' }), 'locked')
  t.is(file.tryLock(), undefined)
  t.throws(() => file.lockSync({ timeout: 5 }), { code: 'ERR_TIMEOUT' })
  const waiting = file.lock()
  t.is(await python.tell({ do: 'read' }), '')
  t.true(await isPending(waiting))
  await python.tell({ do: 'unlock' })
  const guard = await waiting

  t.false(await python.tell({ do: 'try_lock' }))
  t.false(await python.tell({ do: 'try_lock', shared: true }))
  const theirs = python.tell({ do: 'lock' })
  t.true(await isPending(theirs))
  guard.release()
  t.is(await theirs, 'locked')
  t.is(file.tryLock(), undefined)
  t.deepEqual(await python.leave(), { code: 0, signal: null, stderr: '' })
  t.truthy(file.tryLock())
})

pythonTest('Python: ranges and shared locks mean the same on both sides', async t => {
  const path = somewhere()
  using file = FileLock.open(path)
  const python = await hirePython(path)

  const low = file.lockSync({ start: 0, length: 10 })
  t.false(await python.tell({ do: 'try_lock', start: 9, length: 2 }))
  t.true(await python.tell({ do: 'try_lock', start: 10, length: 10 }))
  t.is(file.tryLock({ start: 19, length: 1, shared: true }), undefined)
  const high = file.tryLock({ start: 20 })
  t.truthy(high)
  t.false(await python.tell({ do: 'try_lock', start: 2 ** 40 }))
  high?.release()
  low.release()
  await python.tell({ do: 'unlock' })

  const [outer, inner] = [
    file.lockSync({ shared: true }),
    file.lockSync({ shared: true, start: 5, length: 5 }),
  ]
  t.true(await python.tell({ do: 'try_lock', shared: true }))
  t.false(await python.tell({ do: 'try_lock' }))
  await python.tell({ do: 'unlock' })
  outer.release()
  t.false(await python.tell({ do: 'try_lock' }))
  t.true(await python.tell({ do: 'try_lock', length: 5 }))
  t.true(await python.tell({ do: 'try_lock', start: 10 }))
  inner.release()
  t.true(await python.tell({ do: 'try_lock' }))

  await python.tell({ do: 'unlock' })
  t.true(await python.tell({ do: 'try_lock', shared: true }))
  t.truthy(file.tryLock({ shared: true }))
  t.is(file.tryLock(), undefined)
  await python.leave()
})

pythonTest('Python: a holder that is killed frees its lock, on either side', async t => {
  const path = somewhere()
  using file = FileLock.open(path)
  const python = await hirePython(path)
  await python.tell({ do: 'lock' })
  const waiting = file.lock()
  t.true(await isPending(waiting))
  await python.kill()
  ;(await waiting).release()

  const node = await neighbour(path)
  t.true(await node.tell({ do: 'try' }))
  const next = await hirePython(path)
  t.false(await next.tell({ do: 'try_lock' }))
  const theirs = next.tell({ do: 'lock' })
  await node.kill()
  t.is(await theirs, 'locked')
  await next.leave()
})

pythonTest('Python: both sides count in one file, and lose nothing', async t => {
  const path = somewhere()
  using file = FileLock.open(path)
  writeFileSync(path, '0')
  const python = await hirePython(path)
  const rounds = 200
  const theirs = async () => {
    for (let round = 0; round < rounds; round++) {
      await python.tell({ do: 'lock' })
      await python.tell({ do: 'write', text: String(Number(await python.tell({ do: 'read' })) + 1) })
      await python.tell({ do: 'unlock' })
    }
  }
  const ours = async () => {
    for (let round = 0; round < rounds; round++) {
      await using _ = await file.lock()
      const before = Number(await promises.readFile(path, 'utf8'))
      await promises.writeFile(path, String(before + 1))
    }
  }
  await Promise.all([theirs(), ours(), ours()])
  t.is(readFileSync(path, 'utf8'), String(3 * rounds))
  await python.leave()
})
