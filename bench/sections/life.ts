import { SharedMemory } from 'crossmem'
import { type BareCalls, startBareCalls } from '../calls/bare-calls.js'
import {
  type Contender,
  type Effort,
  inTurn,
  perCall,
  perCallWithTurns,
  rowsOf,
  SHORT,
} from '../harness/measure.js'
import { type Missing, reasons } from '../harness/missing.js'
import { type PythonProgram, startPython } from '../harness/python.js'
import { type Section, type Table, type Target, times } from '../harness/section.js'
import { uniqueName } from '../harness/temporary.js'
import { pythonMemory, SHARED_MEMORY } from '../memory/python.js'

const SIZE = 1 << 20
const CROSSMEM = 'crossmem'
const WHOLE = 'system calls, same guarantees'

/** The cost of creating, opening and closing a segment. */
export async function life(effort: Effort): Promise<Section> {
  await using bare = await startBareCalls()
  await using py = await startPython(SHARED_MEMORY)
  const untouched: Table = {
    title: 'Nothing written',
    baseline: CROSSMEM,
    rows: rowsOf(await inTurn([...ours(), ...peers(bare, py, false)], effort, SHORT)),
  }
  const written: Table = {
    title: 'Every byte written',
    baseline: CROSSMEM,
    rows: rowsOf(await inTurn([oursFilled(), ...peers(bare, py, true)], effort, SHORT)),
  }
  return {
    id: 'life',
    title: 'Creating, opening and closing a segment of 1 MiB',
    intro:
      'A process creates the segment, opens it by its name, and closes both handles; the last close removes the segment. crossmem ' +
      'reserves the pages when it creates the segment, so that a full /dev/shm is an error there and not a SIGBUS later, and ' +
      'the segment appears under its name complete or not at all. The rows that reserve nothing show how much reserving costs. ' +
      'In the second table the creator writes every byte before it closes: then the other rows pay for the pages as well, with ' +
      'a page fault for each.',
    tables: [untouched, written],
    targets: 'missing' in bare ? [] : [targetOf(untouched), targetOf(written)],
    better: [
      'ftruncate alone, as in Python: the time to create a segment does not grow with its size, since no pages are reserved.',
      'Python: shared_memory is in its standard library, so there is nothing to install.',
    ],
    missing: reasons(bare, py),
  }
}

const targetOf = (table: Table): Target => ({
  what: `1 MiB created, opened, closed twice, ${table.title.toLowerCase()}: time as a multiple of ${WHOLE}`,
  got: times(table, CROSSMEM, WHOLE),
  atMost: 2,
})

function ours(): Contender[] {
  const name = uniqueName()
  return [
    {
      name: CROSSMEM,
      does: 'SharedMemory.create, SharedMemory.open, close, close: the pages are reserved, and no process sees the segment half-made',
      slice: perCall(() => {
        const made = SharedMemory.create(name, SIZE)
        const opened = SharedMemory.open(name)
        opened.close()
        made.close()
      }),
    },
    {
      name: 'crossmem, both buffers shown',
      does: 'the same with .buffer of both handles read, and a turn of the event loop each time, in which finalizers run',
      slice: perCallWithTurns(1, () => {
        const made = SharedMemory.create(name, SIZE)
        const opened = SharedMemory.open(name)
        void made.buffer
        void opened.buffer
        opened.close()
        made.close()
      }),
    },
  ]
}

function oursFilled(): Contender {
  const name = uniqueName()
  return {
    name: CROSSMEM,
    does: 'as in the first table, with a turn of the event loop each time, in which finalizers run',
    slice: perCallWithTurns(1, () => {
      const made = SharedMemory.create(name, SIZE)
      const opened = SharedMemory.open(name)
      made.bytes.fill(1)
      opened.close()
      made.close()
    }),
  }
}

function peers(bare: BareCalls | Missing, py: PythonProgram | Missing, fill: boolean): Contender[] {
  const contenders: Contender[] = []
  if (!('missing' in bare)) {
    contenders.push(
      {
        name: WHOLE,
        does: `in Rust: open(O_TMPFILE), posix_fallocate, mmap, linkat, close; open, fstat, mmap, close; munmap, munmap, unlink`,
        slice: bare.slice('whole', fill),
      },
      {
        name: 'system calls, may be seen half-made',
        does: `in Rust: shm_open, posix_fallocate, mmap, close; open, fstat, mmap, close; munmap, munmap, unlink`,
        slice: bare.slice('reserved', fill),
      },
      {
        name: 'system calls, nothing reserved',
        does: `the same with ftruncate instead of posix_fallocate: a full /dev/shm is a SIGBUS at some later write`,
        slice: bare.slice('sized', fill),
      },
    )
  }
  if (!('missing' in py)) {
    contenders.push({
      name: py.version,
      does: `multiprocessing.shared_memory: SharedMemory(create=True), SharedMemory(name), close, close, unlink; nothing reserved`,
      slice: pythonMemory(py, fill ? 'fill' : 'cycle'),
    })
  }
  return contenders
}
