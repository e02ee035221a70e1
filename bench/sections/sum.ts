import { NDArray } from 'crossmem'
import { mebibytes } from '../format.js'
import { hugePages } from '../machine.js'
import { type Contender, inTurn, perCall, type Row, shuffled } from '../measure.js'
import { type Section, type Table, times } from '../section.js'

const SHARED = 'crossmem: NDArray.data'
const PRIVATE = 'private Float64Array'

/** Whether shared memory is as fast to read as private memory. */
export async function sum(quick: boolean): Promise<Section> {
  const tables: Table[] = []
  const pages: string[] = []
  for (const bytes of quick ? [1 << 16, 1 << 20] : [4 << 20, 64 << 20]) {
    const rows = await placed(bytes, quick ? 3 : 40)
    pages.push(`${mebibytes(bytes)}: ${hugePages()}`)
    tables.push({ title: `Sum of ${mebibytes(bytes)}`, baseline: SHARED, rows })
  }
  return {
    id: 'sum',
    title: 'Reading shared memory',
    intro:
      'The same function adds up all elements of a Float64Array in a plain loop; it is compiled, and all pages were touched ' +
      'before. How fast memory is depends on which pages of the machine it happens to be, so every round makes all arrays ' +
      `anew, in random order. Huge pages of this process after the last round: ${pages.join('; ')}.`,
    tables,
    targets: tables.map(table => ({
      what: `${table.title}: speed of NDArray.data, as a share of a private array's`,
      got: times(table, PRIVATE, SHARED),
      atLeast: 0.95,
    })),
    better: [
      'Private arrays: where the system gives them huge pages by default, they cost fewer TLB misses.',
    ],
    missing: [],
  }
}

async function placed(bytes: number, rounds: number): Promise<Row[]> {
  const contents = Float64Array.from({ length: bytes / 8 }, (_, i) => i % 1000)
  const expected = total(contents)
  const calls = Math.max(1, Math.floor((16 << 20) / bytes))
  let array: NDArray<'float64'> | undefined
  const arrays = { shared: contents, private: contents, threads: contents }
  const makers = [
    () => {
      array?.close()
      array = NDArray.from<'float64'>(null, contents)
      arrays.shared = array.data as Float64Array<ArrayBuffer>
    },
    () => {
      arrays.private = contents.slice()
    },
    () => {
      const threads = new Float64Array(new SharedArrayBuffer(bytes))
      threads.set(contents)
      arrays.threads = threads as unknown as Float64Array<ArrayBuffer>
    },
  ]
  const adding = (which: keyof typeof arrays) =>
    perCall(calls, () => {
      if (total(arrays[which]) !== expected) throw new Error('a sum came out wrong')
    })
  const contenders: Contender[] = [
    { name: SHARED, does: 'the array that an NDArray shows', sample: adding('shared') },
    { name: PRIVATE, does: 'a Float64Array of the same length and content', sample: adding('private') },
    {
      name: 'over a SharedArrayBuffer',
      does: 'the same over a SharedArrayBuffer',
      sample: adding('threads'),
    },
  ]
  const rows = await inTurn(
    contenders.map(contender => ({ ...contender, perTurn: 3 })),
    rounds,
    () => {
      for (const make of shuffled(makers)) make()
    },
  )
  array?.close()
  return rows
}

function total(data: Float64Array): number {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += data[i] as number
  return sum
}
