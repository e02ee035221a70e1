import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NDArray, SharedMemory } from 'crossmem'
import { type Contender, inTurn, nanoseconds, perCall, perCallWithTurns } from '../harness/measure.js'
import { reasons } from '../harness/missing.js'
import { python } from '../harness/python.js'
import type { Section } from '../harness/section.js'
import { newDirectoryInMemory, uniqueName } from '../harness/temporary.js'
import { pythonMemory } from '../memory/python.js'

const SIZE = 1 << 20
const COLUMNS = 128
const ROWS = SIZE / 8 / COLUMNS

const OPEN = 'crossmem: SharedMemory open, close'
const GET = 'crossmem: get(i, j)'
const UPDATE = 'crossmem: update(), empty'
const SNAPSHOT = 'crossmem: snapshot() of 1 MiB'

/** The cost of single calls. */
export async function calls(quick: boolean): Promise<Section> {
  const name = uniqueName()
  const directory = newDirectoryInMemory()
  const py = python()
  using memory = SharedMemory.create(`${name}-bytes`, SIZE)
  using array = NDArray.create(`${name}-array`, { shape: [ROWS, COLUMNS], fill: 1 })
  const rounds = quick ? 2 : 15
  const many = quick ? 50 : 5000
  try {
    const opening = [...openings(memory.name, array.name, directory, many)]
    if (!('missing' in py)) {
      opening.push({
        name: `${py.version}: open, close`,
        does: 'multiprocessing.shared_memory: SharedMemory(name), close',
        sample: pythonMemory(py, 'open', many),
      })
    }
    return {
      id: 'calls',
      title: 'What calls cost',
      intro: 'All calls are made in one process, and no other process uses the objects.',
      tables: [
        {
          title: 'Opening an existing segment of 1 MiB',
          baseline: OPEN,
          rows: await inTurn(opening, { rounds }),
        },
        {
          title: 'One element',
          baseline: GET,
          rows: await inTurn(elements(array, quick ? 2 : 100), { rounds }),
        },
        { title: 'An update', baseline: UPDATE, rows: await inTurn(updates(array, many), { rounds }) },
        {
          title: 'A copy of the array',
          baseline: SNAPSHOT,
          rows: await inTurn(copies(array, quick ? 5 : 200), { rounds }),
        },
      ],
      targets: [],
      better: [
        'data[i]: an element by its flat index costs less than by get() and set(), which check every index.',
        'slice(): a copy that a concurrent writer may tear needs no check of the sequence number.',
      ],
      missing: reasons(py),
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function openings(memory: string, array: string, directory: string, many: number): Contender[] {
  const file = join(directory, 'file')
  writeFileSync(file, new Uint8Array(SIZE))
  return [
    {
      name: OPEN,
      does: 'SharedMemory.open, close',
      sample: perCall(many, () => SharedMemory.open(memory).close()),
    },
    {
      name: 'crossmem: NDArray open, close',
      does: 'NDArray.open, close: reads the header and makes a typed array of the data; a turn of the event loop per 100 calls',
      sample: perCallWithTurns(many, 100, () => NDArray.open(array).close()),
    },
    {
      name: 'fs.openSync, closeSync',
      does: 'a file of 1 MiB in /dev/shm, not mapped: a familiar call for comparison',
      sample: perCall(many, () => closeSync(openSync(file, 'r+'))),
    },
  ]
}

/** Each has a loop of its own, so that V8 compiles it as it would in a program. */
function elements(array: NDArray<'float64'>, passes: number): Contender[] {
  const { data } = array
  const perElement = (pass: () => number) => () => {
    const start = nanoseconds()
    let sum = 0
    for (let i = 0; i < passes; i++) sum += pass()
    const took = nanoseconds() - start
    if (sum !== passes * data.length) throw new Error('an element has the wrong value')
    return took / passes / data.length
  }
  return [
    {
      name: GET,
      does: `array.get(i, j) over [${ROWS}, ${COLUMNS}]`,
      sample: perElement(() => getAll(array)),
    },
    {
      name: 'data[i * columns + j]',
      does: 'the same by hand over array.data',
      sample: perElement(() => readAll(data)),
    },
    {
      name: 'crossmem: set(i, j, value)',
      does: 'array.set(i, j, 1)',
      sample: perElement(() => setAll(array)),
    },
    {
      name: 'data[i * columns + j] = value',
      does: 'the same by hand over array.data',
      sample: perElement(() => writeAll(data)),
    },
  ]
}

function getAll(array: NDArray<'float64'>): number {
  let sum = 0
  for (let i = 0; i < ROWS; i++) for (let j = 0; j < COLUMNS; j++) sum += array.get(i, j) as number
  return sum
}

function readAll(data: Float64Array): number {
  let sum = 0
  for (let i = 0; i < ROWS; i++) for (let j = 0; j < COLUMNS; j++) sum += data[i * COLUMNS + j] as number
  return sum
}

function setAll(array: NDArray<'float64'>): number {
  for (let i = 0; i < ROWS; i++) for (let j = 0; j < COLUMNS; j++) array.set(i, j, 1)
  return ROWS * COLUMNS
}

function writeAll(data: Float64Array): number {
  for (let i = 0; i < ROWS; i++) for (let j = 0; j < COLUMNS; j++) data[i * COLUMNS + j] = 1
  return ROWS * COLUMNS
}

function updates(array: NDArray, many: number): Contender[] {
  return [
    {
      name: UPDATE,
      does: 'array.update(() => {})',
      sample: perCall(many, () => array.update(() => {})),
    },
    {
      name: 'crossmem: update(), one element',
      does: 'array.update(data => { data[0] = 1 })',
      sample: perCall(many, () => {
        array.update(data => {
          data[0] = 1
        })
      }),
    },
  ]
}

function copies(array: NDArray, many: number): Contender[] {
  return [
    {
      name: SNAPSHOT,
      does: 'array.snapshot(): all elements as they were at one instant',
      sample: perCall(many, () => array.snapshot()),
    },
    {
      name: 'data.slice()',
      does: 'a plain copy, torn if a process writes meanwhile',
      sample: perCall(many, () => array.data.slice()),
    },
  ]
}
