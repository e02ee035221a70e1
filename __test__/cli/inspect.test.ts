import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { domain, file, hold, leave, leaveNothing, test, testOnLinux } from '../contracts/command.js'
import type { NamedLockOrders } from '../fixtures/web-locks/obey-named-locks.js'
import { unique } from '../helpers/domain.js'
import { gone, kill, message, start } from '../processes/children.js'
import { type Agent, cells, crossmem, errorsIn, json } from '../processes/command.js'
import { hire } from '../processes/hire.js'

leaveNothing()

test('inspect shows all about one object', async t => {
  const [array, scalar, bytes] = ['array', 'scalar', 'bytes'].map(unique) as [string, string, string]
  const holders = [
    await hold(array, { shape: [2, 3, 4], dtype: 'int16', order: 'F' }),
    await hold(scalar, { shape: [] }),
    await hold(bytes, { byteLength: 1000 }),
  ]
  const pids = holders.map(child => child.pid)

  const shown = await crossmem('inspect', array)
  t.deepEqual({ code: shown.code, stderr: shown.stderr }, { code: 0, stderr: '' })
  t.deepEqual(shown.stdout.trimEnd().split('\n').map(cells), [
    ['name', array],
    ['kind', 'NDArray'],
    ['bytes', '8.0 KiB (8192)'],
    ['persist', 'no'],
    ['attached', String(pids[0])],
    ['dtype', 'int16'],
    ['shape', '[2, 3, 4]'],
    ['order', 'F'],
    ['strides', '[1, 2, 6]'],
    ['trailer', 'yes'],
    ['held', '-'],
    ['waiting', '-'],
  ])
  t.deepEqual(await json('inspect', array), {
    code: 0,
    data: {
      domain,
      group: null,
      name: array,
      kind: 'NDArray',
      byteLength: 8192,
      persist: false,
      attached: [{ pid: pids[0], thread: 0, alive: true }],
      doomed: false,
      present: true,
      foreign: false,
      state: { updates: 0, isHalfChanged: false },
      holders: [],
      waiters: [],
      locks: null,
      values: null,
      records: null,
      workers: null,
      array: { dtype: 'int16', shape: [2, 3, 4], order: 'F', strides: [1, 2, 6], trailer: true },
      problem: null,
    },
  })

  t.like((await json('inspect', scalar)).data, {
    array: { dtype: 'float64', shape: [], order: 'C', strides: [], trailer: true },
  })
  const plain = await crossmem('inspect', bytes)
  t.deepEqual(plain.stdout.trimEnd().split('\n').map(cells), [
    ['name', bytes],
    ['kind', 'SharedMemory'],
    ['bytes', '1000 B'],
    ['persist', 'no'],
    ['attached', String(pids[2])],
  ])
  t.like((await json('inspect', bytes)).data, { array: null, foreign: false, byteLength: 1000 })
  await Promise.all(holders.map(leave))
})

test('inspect shows the fields of records, and how many bytes elements have that it does not know', async t => {
  const [records, raw] = ['records', 'raw'].map(unique) as [string, string]
  const dtype = [
    ['id', 'int64'],
    ['px', 'bfloat16', [3]],
  ]
  const holders = [
    await hold(records, { shape: [2], dtype: dtype as never }),
    await hold(raw, { shape: [2], dtype: 'bfloat16' }),
  ]
  const shown = [
    ['id', 'int64'],
    ['px', 'V2', [3]],
  ]
  t.like((await json('inspect', records)).data, {
    array: { dtype: shown, shape: [2], strides: [1] },
    problem: null,
  })
  t.regex((await crossmem('inspect', records)).stdout, /^dtype +\[\["id","int64"\],\["px","V2",\[3\]\]\]$/m)
  t.like((await json('inspect', raw)).data, { array: { dtype: 'V2' }, problem: null })
  await Promise.all(holders.map(leave))
})

test('inspect shows the holders of a lock or of permits, and the waiters at a barrier', async t => {
  const [mutex, semaphore, barrier] = [unique('mutex'), unique('semaphore'), unique('barrier')]
  const holder = start('locks/hold-locks', mutex, semaphore, barrier)
  await message(holder)
  const one = { pid: holder.pid, thread: 0, alive: true, holds: 'lock', count: 1 }
  t.like((await json('inspect', mutex)).data, { kind: 'Mutex', holders: [one] })
  t.like((await json('inspect', semaphore)).data, { holders: [{ ...one, holds: 'permit', count: 2 }] })
  t.regex((await crossmem('inspect', mutex)).stdout, new RegExp(`^held +${holder.pid}$`, 'm'))
  t.regex((await crossmem('inspect', semaphore)).stdout, new RegExp(`^held +permit: ${holder.pid} x 2$`, 'm'))
  t.regex(
    (await crossmem('inspect', barrier)).stdout,
    new RegExp(`^waiting +${holder.pid} for meeting$`, 'm'),
  )
  holder.send('meet')
  await gone(holder)
})

interface Users {
  holders: (Agent & { holds: string; count: number })[]
  waiters: (Agent & { waitsFor: string; count: number })[]
}

/** The processes that use an object, as soon as `waiting` of them wait at it. */
async function usersOf(name: string, waiting: number): Promise<Users> {
  for (;;) {
    const { data } = await json<Users>('inspect', name)
    if (data.waiters.length === waiting) return { holders: data.holders, waiters: data.waiters }
  }
}

const holding = ({ pid }: { pid?: number | undefined }, count: number, alive = true) => ({
  pid,
  thread: 0,
  alive,
  holds: 'lock',
  count,
})
const waiting = ({ pid }: { pid?: number | undefined }) => ({
  pid,
  thread: 0,
  alive: true,
  waitsFor: 'lock',
  count: 1,
})

test('inspect shows the processes that hold named locks and those that wait for one', async t => {
  const startClient = () => hire<NamedLockOrders>('web-locks/obey-named-locks')
  const [holder, waiter] = [await startClient(), await startClient()]
  t.teardown(() => Promise.all([holder.kill(), waiter.kill()]))
  await holder.tell({ do: 'request', name: 'one' })
  await holder.tell({ do: 'request', name: 'two' })
  const request = waiter.begin({ do: 'request', name: 'one' })
  const { objects } = (await json<{ objects: { kind: string; name: string }[] }>('ls')).data
  const name = objects.find(({ kind }) => kind === 'LockManager')?.name as string
  t.deepEqual(await usersOf(name, 1), { holders: [holding(holder, 2)], waiters: [waiting(waiter)] })
  const { stdout } = await crossmem('inspect', name)
  t.regex(stdout, new RegExp(`^held +${holder.pid} x 2$`, 'm'))
  t.regex(stdout, new RegExp(`^waiting +${waiter.pid} for lock$`, 'm'))
  await holder.kill()
  await request.result
  t.deepEqual(await usersOf(name, 0), {
    holders: [holding(holder, 1, false), holding(waiter, 1)],
    waiters: [],
  })
  await waiter.kill()
  await crossmem('gc')
})

test('inspect shows the process that updates an array and those that wait to', async t => {
  const name = unique('held')
  const begin = async () => {
    const child = start('arrays/hold-lock-of-data', JSON.stringify({ crossmem: 'NDArray', name }), 'hold')
    t.teardown(() => kill(child))
    return child
  }
  const owner = await hold(name, { shape: [2], dtype: 'int32' })
  const holder = await begin()
  await message(holder)
  const waiter = await begin()
  t.deepEqual(await usersOf(name, 1), { holders: [holding(holder, 1)], waiters: [waiting(waiter)] })
  await kill(waiter)
  t.deepEqual(await usersOf(name, 0), { holders: [holding(holder, 1)], waiters: [] })
  await kill(holder)
  t.deepEqual(await usersOf(name, 0), { holders: [holding(holder, 1, false)], waiters: [] })
  await leave(owner)
})

testOnLinux('inspect shows a broken array, and its error', async t => {
  const name = unique('broken')
  const holder = await hold(name, { shape: [10] })
  const bytes = readFileSync(file(name))
  bytes.fill(0, 0, 6)
  writeFileSync(file(name), bytes, { flag: 'r+' })

  const shown = await crossmem('inspect', name)
  t.is(shown.code, 1)
  t.regex(shown.stdout, new RegExp(`^name +${name}\nkind +NDArray\n`))
  t.regex(shown.stderr, /^crossmem: not a valid \.npy: .* \(ERR_CORRUPT\)\n$/)
  const ran = await crossmem('inspect', name, '--json')
  t.is(ran.code, 1)
  const found = JSON.parse(ran.stdout) as { array: unknown; problem: { code: string; message: string } }
  t.is(found.array, null)
  t.is(found.problem.code, 'ERR_CORRUPT')
  t.deepEqual(errorsIn(ran), [found.problem])
  await leave(holder)
})

testOnLinux("another program's memory is foreign: shown, and removed only by rm", async t => {
  const name = unique('psm')
  writeFileSync(file(name), Buffer.alloc(5000, 7))
  t.teardown(() => rmSync(file(name), { force: true }))

  const shown = await crossmem('inspect', name)
  t.is(shown.code, 0)
  t.deepEqual(shown.stdout.trimEnd().split('\n').map(cells), [
    ['name', name],
    ['kind', 'foreign: shared memory that this domain did not make'],
    ['bytes', '4.9 KiB (5000)'],
  ])
  t.like(await json('inspect', name), {
    code: 0,
    data: { name, foreign: true, byteLength: 5000, attached: [], array: null, problem: null },
  })
  t.deepEqual(await json('ls'), { code: 0, data: { domain, group: null, objects: [] } })
  await crossmem('gc')
  t.deepEqual(readFileSync(file(name)), Buffer.alloc(5000, 7))

  t.deepEqual(await crossmem('rm', name), { code: 0, stdout: `removed ${name}\n`, stderr: '' })
  t.false(existsSync(file(name)))
})

testOnLinux('foreign memory that no one has sized yet cannot be shown', async t => {
  const name = unique('psm')
  writeFileSync(file(name), '')
  t.teardown(() => rmSync(file(name), { force: true }))
  const ran = await crossmem('inspect', name)
  t.is(ran.code, 1)
  t.regex(ran.stderr, /\(ERR_CORRUPT\)/)
})

testOnLinux('a foreign .npy shows its array', async t => {
  const name = unique('npy')
  const dict = "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }"
  const header = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${dict.padEnd(117)}\n`, 'latin1')
  writeFileSync(file(name), Buffer.concat([header, Buffer.alloc(24)]))
  t.teardown(() => rmSync(file(name), { force: true }))

  t.like((await json('inspect', name)).data, {
    foreign: true,
    array: { dtype: 'int32', shape: [2, 3], order: 'C', strides: [3, 1], trailer: false },
  })
  t.regex((await crossmem('inspect', name)).stdout, /^trailer +no: /m)
})
