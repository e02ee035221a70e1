import { NDArray } from 'crossmem'
import { mebibytes } from '../harness/format.js'
import { hugePages } from '../harness/machine.js'
import { type Effort, inTurn, perCall, type Row, rowsOf, shuffled } from '../harness/measure.js'
import { type Section, type Table, times } from '../harness/section.js'

const SHARED = 'crossmem: NDArray.data'
const PRIVATE = 'private Float64Array'
const THREADS = 'over a SharedArrayBuffer'

const SIZES = [4 << 20, 64 << 20]
const QUICK_SIZES = [1 << 18, 1 << 20]
/** The speed depends on the physical pages of a round, so there must be many rounds. */
const LONGER = 5

/** Whether shared memory is as fast to read as private memory. */
export async function sum(effort: Effort): Promise<Section> {
  const tables: Table[] = []
  const pages: string[] = []
  for (const bytes of effort.quick ? QUICK_SIZES : SIZES) {
    const rows = await sumsOf(bytes, effort)
    pages.push(`${mebibytes(bytes)}: ${hugePages()}`)
    tables.push({ title: `Sum of ${mebibytes(bytes)}`, baseline: SHARED, rows })
  }
  return {
    id: 'sum',
    title: 'Reading shared memory',
    intro:
      'One function adds up all elements of a Float64Array in a plain loop. It has been compiled, and all pages have been touched, ' +
      'before the clock starts. The speed of memory depends on the physical pages that an array gets, so every round makes all ' +
      `arrays anew, in random order. Huge pages of this process after the last round: ${pages.join('; ')}.`,
    tables,
    targets: tables.map(table => ({
      what: `${table.title}: speed of NDArray.data, as a share of a private array's`,
      got: times(table, PRIVATE, SHARED),
      atLeast: 0.95,
    })),
    better: [
      'Private arrays: where the system gives them huge pages by default, they cause fewer TLB misses.',
    ],
    missing: [],
  }
}

async function sumsOf(bytes: number, effort: Effort): Promise<Row[]> {
  const contents = Float64Array.from({ length: bytes / 8 }, (_, i) => i % 1000)
  const expected = total(contents)
  const arrays = new Arrays(contents)
  const adding = (name: string, does: string) => ({
    name,
    does,
    slice: perCall(() => {
      if (total(arrays.get(name)) !== expected) throw new Error('a sum is wrong')
    }),
  })
  const contenders = [
    adding(SHARED, 'the typed array of an NDArray'),
    adding(PRIVATE, 'a private Float64Array of the same length and contents'),
    adding(THREADS, 'the same over a SharedArrayBuffer'),
  ]
  const measured = await inTurn(contenders, effort, { arrange: () => arrays.renew(), longer: LONGER })
  arrays.close()
  return rowsOf(measured)
}

/** The arrays of one round, all with the same contents. */
class Arrays {
  readonly #contents: Float64Array<ArrayBuffer>
  readonly #views = new Map<string, Float64Array>()
  #shared: NDArray<'float64'> | undefined

  constructor(contents: Float64Array<ArrayBuffer>) {
    this.#contents = contents
  }

  get(name: string): Float64Array {
    return this.#views.get(name) as Float64Array
  }

  renew(): void {
    this.close()
    for (const [name, make] of shuffled(this.#makers)) this.#views.set(name, make())
    // Touches all pages: the first access to each is a page fault.
    for (const view of this.#views.values()) total(view)
  }

  close(): void {
    this.#shared?.close()
  }

  readonly #makers: [string, () => Float64Array][] = [
    [PRIVATE, () => this.#contents.slice()],
    [
      SHARED,
      () => {
        this.#shared = NDArray.from<'float64'>(null, this.#contents)
        return this.#shared.data
      },
    ],
    [
      THREADS,
      () => {
        const data = new Float64Array(new SharedArrayBuffer(this.#contents.byteLength))
        data.set(this.#contents)
        return data
      },
    ],
  ]
}

function total(data: Float64Array): number {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += data[i] as number
  return sum
}
