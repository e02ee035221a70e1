import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NDArray, SharedMemory } from 'crossmem'
import {
  type Contender,
  type Effort,
  inTurn,
  perCall,
  perCallWithTurns,
  perRepetition,
  rowsOf,
  SHORT,
} from '../harness/measure.js'
import { reasons } from '../harness/missing.js'
import { startPython } from '../harness/python.js'
import type { Section } from '../harness/section.js'
import { newDirectoryInMemory, uniqueName } from '../harness/temporary.js'
import { pythonMemory, SHARED_MEMORY } from '../memory/python.js'

const SIZE = 1 << 20
const COLUMNS = 128
const ROWS = SIZE / 8 / COLUMNS

const OPEN = 'crossmem: SharedMemory open, close'
const GET = 'crossmem: get(i, j)'
const UPDATE = 'crossmem: update(), empty'
const SNAPSHOT = 'crossmem: snapshot() of 1 MiB'

/** The cost of single calls. */
export async function calls(effort: Effort): Promise<Section> {
  const name = uniqueName()
  const directory = newDirectoryInMemory()
  await using py = await startPython(SHARED_MEMORY)
  using memory = SharedMemory.create(`${name}-bytes`, SIZE)
  using array = NDArray.create(`${name}-array`, { shape: [ROWS, COLUMNS], fill: 1 })
  try {
    const opening = [...openings(memory.name, array.name, directory)]
    if (!('missing' in py)) {
      opening.push({
        name: `${py.version}: open, close`,
        does: 'multiprocessing.shared_memory: SharedMemory(name), close',
        slice: pythonMemory(py, 'open'),
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
          rows: rowsOf(await inTurn(opening, effort, SHORT)),
        },
        {
          title: 'One element',
          baseline: GET,
          rows: rowsOf(await inTurn(elements(array), effort, SHORT)),
        },
        { title: 'An update', baseline: UPDATE, rows: rowsOf(await inTurn(updates(array), effort, SHORT)) },
        {
          title: 'A copy of the array',
          baseline: SNAPSHOT,
          rows: rowsOf(await inTurn(copies(array), effort, SHORT)),
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

function openings(memory: string, array: string, directory: string): Contender[] {
  const file = join(directory, 'file')
  writeFileSync(file, new Uint8Array(SIZE))
  return [
    {
      name: OPEN,
      does: 'SharedMemory.open, close',
      slice: perCall(() => SharedMemory.open(memory).close()),
    },
    {
      name: 'crossmem: NDArray open, close',
      does: 'NDArray.open, close: reads the header and makes a typed array of the data; a turn of the event loop per 100 calls',
      slice: perCallWithTurns(100, () => NDArray.open(array).close()),
    },
    {
      name: 'fs.openSync, closeSync',
      does: 'a file of 1 MiB in /dev/shm, not mapped: a familiar call for comparison',
      slice: perCall(() => closeSync(openSync(file, 'r+'))),
    },
  ]
}

/** Each has a loop of its own, so that V8 compiles it as it would in a program. */
function elements(array: NDArray<'float64'>): Contender[] {
  const { data } = array
  const perElement = (pass: () => number): Contender['slice'] => {
    const slice = perRepetition(passes => {
      let sum = 0
      for (let i = 0; i < passes; i++) sum += pass()
      if (sum !== passes * data.length) throw new Error('an element has the wrong value')
    })
    return async milliseconds => (await slice(milliseconds)).map(ns => ns / data.length)
  }
  return [
    {
      name: GET,
      does: `array.get(i, j) over [${ROWS}, ${COLUMNS}]`,
      slice: perElement(() => getAll(array)),
    },
    {
      name: 'data[i * columns + j]',
      does: 'the same by hand over array.data',
      slice: perElement(() => readAll(data)),
    },
    {
      name: 'crossmem: set(i, j, value)',
      does: 'array.set(i, j, 1)',
      slice: perElement(() => setAll(array)),
    },
    {
      name: 'data[i * columns + j] = value',
      does: 'the same by hand over array.data',
      slice: perElement(() => writeAll(data)),
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

function updates(array: NDArray): Contender[] {
  return [
    {
      name: UPDATE,
      does: 'array.update(() => {})',
      slice: perCall(() => array.update(() => {})),
    },
    {
      name: 'crossmem: update(), one element',
      does: 'array.update(data => { data[0] = 1 })',
      slice: perCall(() => {
        array.update(data => {
          data[0] = 1
        })
      }),
    },
  ]
}

function copies(array: NDArray): Contender[] {
  return [
    {
      name: SNAPSHOT,
      does: 'array.snapshot(): all elements as they were at one instant',
      slice: perCall(() => array.snapshot()),
    },
    {
      name: 'data.slice()',
      does: 'a plain copy, torn if a process writes meanwhile',
      slice: perCall(() => array.data.slice()),
    },
  ]
}
