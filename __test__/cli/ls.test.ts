import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { hold, isClean, leave, leaveNothing, test, user } from '../contracts/command.js'
import { unique } from '../helpers/domain.js'
import { fixture } from '../helpers/paths.js'
import { cells, crossmem, json, type Listed } from '../processes/command.js'

leaveNothing()

test('ls shows every object, and the agents that have it open', async t => {
  const [array, bytes, wide, inWorker] = ['array', 'bytes', '冷蔵庫', 'worker'].map(unique) as [
    string,
    string,
    string,
    string,
  ]
  const holder = await hold(array, { shape: [1000, 1000], dtype: 'float64' })
  const other = await user()
  await other.tell({ do: 'open', reference: array })
  await leave(await hold(bytes, { byteLength: 512, persist: true }))
  const eastern = await hold(wide, { byteLength: 1024 * 1024 })
  const worker = new Worker(fixture('memory/hold-in-worker'), { workerData: inWorker })
  await once(worker, 'message')

  const { code, stdout, stderr } = await crossmem('ls')
  t.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  const lines = stdout.trimEnd().split('\n')
  t.deepEqual(lines.map(cells), [
    ['NAME', 'KIND', 'BYTES', 'STATE', 'WAITING', 'ATTACHED'],
    [array, 'NDArray', '7.6 MiB', '-', '-', `${holder.pid}, ${other.pid}`],
    [bytes, 'SharedMemory', '512 B', '-', '-', 'persists'],
    [inWorker, 'SharedMemory', '4.0 KiB', '-', '-', `${process.pid}/w${worker.threadId}`],
    [wide, 'SharedMemory', '1.0 MiB', '-', '-', String(eastern.pid)],
  ])
  // Each of the three characters takes two cells.
  const columns = lines.map(line => line.search(/KIND|NDArray|SharedMemory/))
  t.deepEqual(columns, [columns[0], columns[0], columns[0], columns[0], (columns[0] as number) - 3])
  const ends = lines.slice(0, 4).map(line => line.search(/(?<=BYTES|[KM]?i?B) /))
  t.is(new Set(ends).size, 1)

  const { data } = await json<{ objects: Listed[] }>('ls')
  t.deepEqual(
    data.objects.map(object => object.name),
    [array, bytes, inWorker, wide],
  )
  t.deepEqual(data.objects[1], {
    name: bytes,
    kind: 'SharedMemory',
    byteLength: 512,
    persist: true,
    attached: [],
    doomed: false,
    present: true,
    state: {},
    holders: [],
    waiters: [],
    locks: null,
    problem: null,
  } as Listed)
  t.deepEqual(data.objects[2]?.attached, [{ pid: process.pid, thread: worker.threadId, alive: true }])
  await isClean(t)

  t.is((await crossmem('rm', bytes)).code, 0)
  await worker.terminate()
  await other.leave()
  await Promise.all([holder, eastern].map(leave))
})
