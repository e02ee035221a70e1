import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Mutex, Semaphore } from 'crossmem'
import { emptyCall } from '../calls/empty-call.js'
import { type Contender, type Effort, inTurn, perRepetition, rowsOf, SHORT } from '../harness/measure.js'
import { type Missing, reasons } from '../harness/missing.js'
import { type PythonProgram, startPython } from '../harness/python.js'
import { type Section, type Table, type Target, times } from '../harness/section.js'
import { newDirectoryInMemory } from '../harness/temporary.js'
import { type ProperLockfile, properLockfile } from '../locks/proper-lockfile.js'
import { LOCKS, pythonLocks } from '../locks/python.js'

const LOCK_SYNC = 'crossmem: lockSync(), release()'
const LOCK = 'crossmem: await lock(), release()'
const FLOOR = 'two empty Node-API calls'

/** The cost of an uncontended lock. */
export async function locks(effort: Effort): Promise<Section> {
  await using py = await startPython(LOCKS)
  const lockfile = properLockfile()
  const directory = newDirectoryInMemory()
  using mutex = Mutex.create(null)
  using semaphore = Semaphore.create(null)
  try {
    const names = peerNames(py, lockfile)
    const table: Table = {
      title: 'Acquire and release',
      baseline: LOCK_SYNC,
      rows: rowsOf(
        await inTurn(
          [
            ...ours(mutex, semaphore),
            ...floor(),
            ...('missing' in py ? [] : pythons(py, names)),
            ...lockfiles(lockfile, names, directory),
          ],
          effort,
          SHORT,
        ),
      ),
    }
    return {
      id: 'locks',
      title: 'An uncontended lock',
      intro:
        'One process acquires and releases the lock, each row in a loop of its own. The floor is two calls of a function of a ' +
        'Rust addon that does nothing: the least that a lock costs if one call into an addon acquires it and another call ' +
        'releases it. crossmem makes no call into its addon while a lock is uncontended.',
      tables: [table],
      targets: targetsOf(table, names, 'missing' in py),
      better: [
        'Python: its interpreter calls C functions at a lower cost than V8. But if a process dies while it holds the lock, the ' +
          'lock stays locked for ever, and no process is told.',
        'proper-lockfile: it needs no compiled addon, and works on network file systems.',
      ],
      missing: reasons(py),
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

interface PeerNames {
  acquire: string
  withLock: string
  lockfileSync: string
  lockfile: string
}

const peerNames = (py: PythonProgram | Missing, { version }: ProperLockfile): PeerNames => {
  const language = 'missing' in py ? 'Python' : py.version
  return {
    acquire: `${language}: acquire(), release()`,
    withLock: `${language}: with lock`,
    lockfileSync: `proper-lockfile ${version}: lockSync()`,
    lockfile: `proper-lockfile ${version}: await lock()`,
  }
}

function targetsOf(table: Table, names: PeerNames, withoutPython: boolean): Target[] {
  const faster = (peer: string, ours: string, atLeast: number): Target => ({
    what: `${ours.replace('crossmem: ', '')}, uncontended: times faster than ${peer}`,
    got: times(table, peer, ours),
    atLeast,
  })
  return [
    ...(withoutPython ? [] : [faster(names.acquire, LOCK_SYNC, 5), faster(names.withLock, LOCK_SYNC, 5)]),
    faster(names.lockfileSync, LOCK_SYNC, 100),
    faster(names.lockfile, LOCK, 100),
    {
      what: `lockSync(), release(), uncontended: time as a multiple of ${FLOOR}`,
      got: times(table, LOCK_SYNC, FLOOR),
      atMost: 2.5,
    },
  ]
}

function ours(mutex: Mutex, semaphore: Semaphore): Contender[] {
  return [
    {
      name: LOCK_SYNC,
      does: 'mutex.lockSync().release()',
      slice: perRepetition(repetitions => {
        for (let i = 0; i < repetitions; i++) mutex.lockSync().release()
      }),
    },
    {
      name: 'crossmem: using',
      does: '{ using guard = mutex.lockSync() }, as TypeScript compiles it for ES2022',
      slice: perRepetition(repetitions => {
        for (let i = 0; i < repetitions; i++) {
          using _guard = mutex.lockSync()
        }
      }),
    },
    {
      name: LOCK,
      does: '(await mutex.lock()).release()',
      slice: perRepetition(async repetitions => {
        for (let i = 0; i < repetitions; i++) (await mutex.lock()).release()
      }),
    },
    {
      name: 'crossmem: Semaphore',
      does: 'semaphore.acquireSync().release()',
      slice: perRepetition(repetitions => {
        for (let i = 0; i < repetitions; i++) semaphore.acquireSync().release()
      }),
    },
  ]
}

function floor(): Contender[] {
  const nothing = emptyCall()
  return [
    {
      name: FLOOR,
      does: "two calls of a function of a Rust addon that returns at once, registered as crossmem's own are (napi_create_function)",
      slice: perRepetition(repetitions => {
        for (let i = 0; i < repetitions; i++) {
          nothing()
          nothing()
        }
      }),
    },
  ]
}

function pythons(py: PythonProgram, names: PeerNames): Contender[] {
  return [
    {
      name: names.acquire,
      does: 'multiprocessing.Lock: lock.acquire(); lock.release()',
      slice: pythonLocks(py, 'acquire'),
    },
    {
      name: names.withLock,
      does: 'multiprocessing.Lock: with lock: pass',
      slice: pythonLocks(py, 'with'),
    },
  ]
}

function lockfiles(lockfile: ProperLockfile, names: PeerNames, directory: string): Contender[] {
  const file = join(directory, 'file')
  writeFileSync(file, '')
  // The fastest way that it documents: by default it resolves the file's real path first.
  const options = { realpath: false }
  return [
    {
      name: names.lockfileSync,
      does: 'lockfile.lockSync(file, { realpath: false })(), in memory (/dev/shm)',
      slice: perRepetition(repetitions => {
        for (let i = 0; i < repetitions; i++) lockfile.lockSync(file, options)()
      }),
    },
    {
      name: names.lockfile,
      does: 'await (await lockfile.lock(file, { realpath: false }))(), in memory (/dev/shm)',
      slice: perRepetition(async repetitions => {
        for (let i = 0; i < repetitions; i++) await (await lockfile.lock(file, options))()
      }),
    },
  ]
}
