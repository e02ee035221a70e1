import '../helpers/domain.js'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { format } from 'node:util'
import ava, { type ExecutionContext } from 'ava'
import { type DType, gc, list, NDArray, type NumericDType, open, type Scalar, SharedMemory } from 'crossmem'
import type { ArrayOrders, SnippetOrders } from '../fixtures/python/orders.js'
import { unique } from '../helpers/domain.js'
import { root } from '../helpers/paths.js'
import { isPython, pythonTest, runPython } from '../helpers/python.js'
import { type Hired, hire } from '../processes/hire.js'
import { withPython } from '../processes/python.js'
import { hireUser } from '../processes/users.js'

const file = (name: string): string => `/dev/shm/${name}`
let folder: string
/** No sweep removes what Python makes here; these tests do. */
const madeByPython = new Set<string>()

ava.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'crossmem-'))
})

ava.after.always(() => {
  rmSync(folder, { recursive: true })
  for (const name of madeByPython) rmSync(file(name), { force: true })
})

/** A name for something that Python makes. */
function forPython(name: string): string {
  const chosen = unique(name)
  madeByPython.add(chosen)
  return chosen
}

const hirePython = () => hire<ArrayOrders>('python/obey', { as: 'python' })

const withArrays = (
  t: ExecutionContext,
  talk: (python: Hired<ArrayOrders>) => Promise<void>,
): Promise<void> => withPython(t, 'python/obey', talk)

const samples: Record<NumericDType, Scalar[]> = {
  bool: [true, false, false, true, true],
  int8: [-128, 127, 0, -1, 5],
  uint8: [255, 0, 1, 128, 5],
  int16: [-32768, 32767, 0, -1, 5],
  uint16: [65535, 0, 1, 32768, 5],
  int32: [-(2 ** 31), 2 ** 31 - 1, 0, -1, 5],
  uint32: [2 ** 32 - 1, 0, 1, 2 ** 31, 5],
  int64: [-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n, 2n ** 53n + 1n],
  uint64: [2n ** 64n - 1n, 0n, 1n, 2n ** 63n, 2n ** 53n + 1n],
  float16: [65504, 2 ** -24, -0, Number.NaN, Number.POSITIVE_INFINITY, -1.5, 3],
  float32: [2 ** -149, Math.fround(0.1), -0, Number.NaN, Number.NEGATIVE_INFINITY, -1.5, 3],
  float64: [Number.MIN_VALUE, Number.MAX_VALUE, 0.1, -0, Number.NaN, Number.NEGATIVE_INFINITY, -1.5],
  complex64: [
    [1.5, -2.5],
    [-0, 0],
    [Number.NaN, Number.POSITIVE_INFINITY],
    [0, -0],
    [7, 8],
  ],
  complex128: [
    [0.1, -0.2],
    [-0, 0],
    [Number.NEGATIVE_INFINITY, Number.NaN],
    [0, -0],
    [7, 8],
  ],
}
const dtypes = Object.keys(samples) as NumericDType[]
const shapes = [
  [],
  [1],
  [5],
  [0],
  [2, 3],
  [3, 0, 2],
  [2, 3, 2],
  [2, 1, 3, 2],
  [1, 2, 1, 2, 3],
  [2, 1, 2, 3, 1, 2],
]

/** One array of each kind, and values for it, in C order; other ones for every `shift`. */
function* kinds() {
  for (const dtype of dtypes) {
    for (const order of ['C', 'F'] as const) {
      for (const shape of shapes) {
        const size = shape.reduce((product, dim) => product * dim, 1)
        const all = samples[dtype]
        const sample = (shift: number): Scalar[] =>
          Array.from({ length: size }, (_, i) => all[(i + shift) % all.length] as Scalar)
        yield { dtype, order, shape, size, sample, title: `${dtype} ${order} [${shape}]` }
      }
    }
  }
}

/** All indices of a shape, the last axis fastest. */
function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (before, dim) => before.flatMap(index => Array.from({ length: dim }, (_, i) => [...index, i])),
    [[]],
  )
}

const read = (array: NDArray): Scalar[] => indices(array.shape).map(index => array.get(...index))

function write(array: NDArray, values: Scalar[]): void {
  indices(array.shape).forEach((index, i) => {
    array.set(...index, values[i] as never)
  })
}

/** Values as Python's side of the conversation spells them. */
function toTexts(values: Scalar[]): string[] {
  const text = (value: Scalar): string => {
    if (Array.isArray(value)) return value.map(text).join(' ')
    if (typeof value === 'boolean') return value ? 'True' : 'False'
    return Object.is(value, -0) ? '-0.0' : String(value)
  }
  return values.map(text)
}

function fromTexts(dtype: NumericDType, texts: string[]): Scalar[] {
  return texts.map(text => {
    if (dtype === 'bool') return text === 'True'
    if (dtype === 'int64' || dtype === 'uint64') return BigInt(text)
    const [re = Number.NaN, im] = text.split(' ').map(Number)
    return im === undefined ? re : [re, im]
  })
}

/** The order in which the elements lie; of few axes or elements both are true, and NumPy says C. */
const saysOrder = (shape: readonly number[], order: 'C' | 'F') =>
  shape.filter(dim => dim > 1).length < 2 || shape.includes(0) ? 'C' : order

for (const way of ['open_by_load', 'open_by_open_memmap', 'open_by_attach'] as const) {
  pythonTest(`Python: ${way} shows every array that Node made, and changes it`, async t => {
    await withArrays(t, async python => {
      for (const { dtype, order, shape, sample, title } of kinds()) {
        using array = NDArray.create(null, { shape, dtype, order })
        write(array, sample(0))
        const { name } = array
        const layout = { dtype, shape, order, offset: array.data.byteOffset }
        const held = await python.tell(
          way === 'open_by_attach' ? { do: way, name, ...layout } : { do: way, name },
        )
        t.is(held.dtype, dtype, title)
        t.deepEqual(held.shape, shape, title)
        t.is(held.order, saysOrder(shape, order), title)
        t.deepEqual(fromTexts(dtype, await python.tell({ do: 'values' })), sample(0), title)
        await python.tell({ do: 'store', values: toTexts(sample(1)) })
        t.deepEqual(read(array), sample(1), title)
        await python.tell({ do: 'close' })
      }
    })
  })
}

pythonTest('Python: every array made by open_memmap is the same for Node, which changes it', async t => {
  await withArrays(t, async python => {
    for (const { dtype, order, shape, size, sample, title } of kinds()) {
      const name = forPython('numpy')
      await python.tell({ do: 'make_array', name, dtype, shape, order })
      await python.tell({ do: 'store', values: toTexts(sample(0)) })
      using array = NDArray.open(name)
      t.deepEqual([array.dtype, array.shape, array.size], [dtype, shape, size], title)
      t.is(saysOrder(shape, array.order), saysOrder(shape, order), title)
      t.deepEqual(read(array), sample(0), title)
      write(array, sample(1))
      t.deepEqual(fromTexts(dtype, await python.tell({ do: 'values' })), sample(1), title)
      await python.tell({ do: 'close' })
      array.unlink()
      t.false(existsSync(file(name)))
    }
  })
})

pythonTest('Python: files go both ways, save to np.load and np.save to load', async t => {
  await withArrays(t, async python => {
    for (const { dtype, order, shape, sample, title } of kinds()) {
      const path = join(folder, 'array.npy')
      using ours = NDArray.create(null, { shape, dtype, order })
      write(ours, sample(0))
      await ours.save(path)
      const held = await python.tell({ do: 'load', path })
      t.deepEqual([held.dtype, held.shape], [dtype, shape], title)
      t.is(held.order, saysOrder(shape, order), title)
      t.deepEqual(fromTexts(dtype, await python.tell({ do: 'values' })), sample(0), title)

      await python.tell({ do: 'save', path, dtype, shape, order, values: toTexts(sample(1)) })
      using loaded = await NDArray.load(path)
      t.deepEqual([loaded.dtype, loaded.shape], [dtype, shape], title)
      t.is(saysOrder(shape, loaded.order), saysOrder(shape, order), title)
      t.deepEqual(read(loaded), sample(1), title)
    }
  })
})

pythonTest(
  'Python: an array is one memory, whichever side made it and however long both have it open',
  async t => {
    await withArrays(t, async python => {
      const values = (): Promise<string[]> => python.tell({ do: 'values' })
      const look = async (array: NDArray) => {
        for (let round = 1; round <= 20; round++) {
          array.set(1, 2, round)
          t.is((await values())[5], `${round}.0`)
          await python.tell({ do: 'store', values: ['1', '2', '3', '4', '5', String(-round)] })
          t.deepEqual(array.toNested(), [
            [1, 2, 3],
            [4, 5, -round],
          ])
        }
      }

      using ours = NDArray.create(unique('ours'), { shape: [2, 3], dtype: 'float32' })
      await python.tell({ do: 'open_by_load', name: ours.name })
      await look(ours)
      // Python sees an update when it has been made, and a snapshot shows what Python wrote.
      ours.update(data => data.fill(8))
      t.deepEqual(await values(), new Array(6).fill('8.0'))
      await python.tell({ do: 'store', values: ['1', '2', '3', '4', '5', '6'] })
      t.deepEqual([...ours.snapshot()], [1, 2, 3, 4, 5, 6])
      await python.tell({ do: 'close' })

      const name = forPython('theirs')
      await python.tell({ do: 'make_array', name, dtype: 'float64', shape: [2, 3] })
      using theirs = NDArray.open<'float64'>(name)
      await look(theirs)
      // There is no trailer for these, and no need to save.
      t.throws(() => theirs.update(() => undefined), { code: 'ERR_UNSUPPORTED' })
      t.throws(() => theirs.snapshot(), { code: 'ERR_UNSUPPORTED' })
      const path = join(folder, 'theirs.npy')
      await theirs.save(path)
      await python.tell({ do: 'load', path })
      t.deepEqual(await values(), ['1.0', '2.0', '3.0', '4.0', '5.0', '-20.0'])
    })
  },
)

pythonTest('Python: SharedMemory made by Node has the same bytes, and the same length', async t => {
  await withArrays(t, async python => {
    for (const byteLength of [1, 1000, 4096, 100_001]) {
      using memory = SharedMemory.create(null, byteLength)
      memory.bytes[byteLength - 1] = 17
      const held = await python.tell({ do: 'open_by_attach', name: memory.name })
      t.is(held.size, byteLength)
      t.is((await python.tell({ do: 'values' }))[byteLength - 1], '17')
      await python.tell({ do: 'store', values: new Array(byteLength).fill('250') })
      t.true(memory.bytes.every(byte => byte === 250))
      await python.tell({ do: 'close' })
    }
  })
})

pythonTest('Python: SharedMemory made by Python has the same bytes, and the same length', async t => {
  await withArrays(t, async python => {
    for (const chosen of [undefined, forPython('chosen')]) {
      for (const size of [1, 1000, 4096, 100_001]) {
        const { name } = await python.tell({ do: 'make_memory', name: chosen, size })
        if (!chosen) t.regex(name, /^psm_/)
        using memory = open(name) as SharedMemory
        t.true(memory instanceof SharedMemory)
        t.is(memory.byteLength, size)
        t.is(memory.buffer.byteLength, size)
        t.true(memory.bytes.every(byte => byte === 0))
        memory.bytes[size - 1] = 17
        t.is((await python.tell({ do: 'values' }))[size - 1], '17')
        await python.tell({ do: 'store', values: new Array(size).fill('250') })
        t.true(memory.bytes.every(byte => byte === 250))

        // It isn't ours: not listed, not to be made again, and no array.
        t.false(list().some(object => object.name === name))
        t.throws(() => SharedMemory.create(name, size), { code: 'ERR_EXISTS', message: /didn't make/ })
        t.throws(() => NDArray.open(name), { code: 'ERR_CORRUPT' })
        using again = SharedMemory.openOrCreate(name, size)
        t.is(again.bytes[0], 250)
        t.throws(() => SharedMemory.openOrCreate(name, size + 1), { code: 'ERR_INVALID_ARG' })

        await python.tell({ do: 'unlink' })
        t.throws(() => SharedMemory.open(name), { code: 'ERR_NOT_FOUND' })
        t.is(memory.bytes[0], 250)
        await python.tell({ do: 'close' })
        t.is(memory.bytes[0], 250)
      }
    }
  })
})

pythonTest('Python: memory that it has not sized yet is refused, and opens when it is', async t => {
  await withArrays(t, async python => {
    const name = forPython('unsized')
    await python.tell({ do: 'make_unsized', name })
    t.throws(() => SharedMemory.open(name), { code: 'ERR_CORRUPT', message: /try again/ })
    t.throws(() => NDArray.open(name), { code: 'ERR_CORRUPT', message: /try again/ })
    await python.tell({ do: 'resize', name, size: 1000 })
    using memory = SharedMemory.open(name)
    t.is(memory.byteLength, 1000)
  })
})

pythonTest('Python: its memory is never removed because Node closed it', async t => {
  await withArrays(t, async python => {
    const { name } = await python.tell({ do: 'make_memory', size: 100 })
    const isThere = async () => {
      const visitor = await hirePython()
      t.is((await visitor.tell({ do: 'open_by_attach', name })).size, 100)
      await visitor.leave()
      t.true(existsSync(file(name)))
    }
    const memory = SharedMemory.open(name)
    memory.bytes[0] = 3
    memory.close()
    await isThere()

    const leaving = await hireUser()
    await leaving.tell({ do: 'open', reference: name })
    t.deepEqual(await leaving.leave(), { code: 0, signal: null })
    await isThere()

    const killed = await hireUser()
    await killed.tell({ do: 'open', reference: name })
    t.is(await killed.tell({ do: 'read', at: 0 }), 3)
    await killed.kill()
    gc()
    await isThere()

    // Only on purpose.
    using last = SharedMemory.open(name)
    last.unlink()
    last.unlink()
    t.false(existsSync(file(name)))
    t.is((await python.tell({ do: 'values' }))[0], '3')
    // Python's own list of what to remove must not hold it against us.
    await python.tell({ do: 'forget', name })
  })
})

pythonTest('Python: having an array open does not keep its name, but keeps its bytes', async t => {
  await withArrays(t, async python => {
    const array = NDArray.from(unique('left'), [1, 2, 3])
    await python.tell({ do: 'open_by_load', name: array.name })
    array.close()
    t.false(existsSync(file(array.name)))
    t.deepEqual(await python.tell({ do: 'values' }), ['1.0', '2.0', '3.0'])

    const kept = NDArray.from(unique('kept'), [1, 2, 3], { persist: true })
    kept.close()
    await python.tell({ do: 'open_by_load', name: kept.name })
    await python.tell({ do: 'store', values: ['4', '5', '6'] })
    await python.tell({ do: 'close' })
    using again = NDArray.open(kept.name)
    t.deepEqual(again.toNested(), [4, 5, 6])
    again.unlink()
  })
})

pythonTest('Python: a new array written over ours is noticed when it is opened', async t => {
  await withArrays(t, async python => {
    using array = NDArray.create(unique('overwritten'), { shape: [2, 3] })
    await python.tell({ do: 'make_array', name: array.name, dtype: 'float64', shape: [2, 3] })
    t.throws(() => NDArray.open(array.name), { code: 'ERR_CORRUPT', message: /was made with/ })
  })
})

pythonTest('Python: names beyond ASCII', async t => {
  await withArrays(t, async python => {
    using array = NDArray.from(unique('prix à 冷蔵庫'), [1, 2])
    await python.tell({ do: 'open_by_load', name: array.name })
    t.deepEqual(await python.tell({ do: 'values' }), ['1.0', '2.0'])
  })
})

// Python's resource tracker removes memory that a process attached and did not unlink, also if
// another process made it.

const isPresent = (name: string) => list().some(object => object.name === name && object.present)

for (const end of ['leave', 'kill'] as const) {
  const ends = { leave: 'leaves', kill: 'is killed' }[end]

  pythonTest(
    `Python: plain SharedMemory takes the name along when Python ${ends}, and Node goes on`,
    async t => {
      const name = unique('taken')
      const memory = SharedMemory.create(name, 1000)
      const other = await hireUser()
      await other.tell({ do: 'open', reference: name })
      const python = await hirePython()
      await python.tell({ do: 'open_by_SharedMemory', name })
      await python.tell({ do: 'close' })
      t.true(isPresent(name))
      const { stderr } = await python[end]()
      t.regex(stderr as string, /resource_tracker: There appear to be 1 leaked shared_memory objects/)
      t.false(existsSync(file(name)))
      t.false(isPresent(name))

      // The name is free, the memory isn't.
      t.throws(() => SharedMemory.open(name), { code: 'ERR_NOT_FOUND' })
      memory.bytes[5] = 55
      t.is(await other.tell({ do: 'read', at: 5 }), 55)
      using next = SharedMemory.create(name, 2000)
      t.is(next.bytes[5], 0)
      await other.tell({ do: 'write', at: 6, value: 66 })
      t.is(memory.bytes[6], 66)
      memory.unlink()
      memory.close()
      await other.tell({ do: 'close' })
      t.true(isPresent(name))
      t.is(SharedMemory.open(name).byteLength, 2000)
      await other.leave()
    },
  )

  const workarounds = [
    ['open_by_load', 'np.load'],
    ['open_by_open_memmap', 'open_memmap'],
    ['open_by_attach', isPython(3, 13) ? 'SharedMemory with track=False' : 'SharedMemory and unregister'],
  ] as const
  for (const [way, title] of workarounds) {
    pythonTest(`Python: ${title} leaves the name alone when Python ${ends}`, async t => {
      using array = NDArray.from(null, [1, 2, 3])
      const python = await hirePython()
      await python.tell({ do: way, name: array.name })
      const { stderr } = await python[end]()
      t.is(stderr, '')
      t.true(isPresent(array.name))
      using again = NDArray.open(array.name)
      t.deepEqual(again.toNested(), [1, 2, 3])
    })
  }
}

pythonTest("Python: a name that was taken away and given to something of Python's leads to that", async t => {
  await withArrays(t, async python => {
    const name = forPython('reborn')
    const old = SharedMemory.create(name, 100)
    rmSync(file(name))
    await python.tell({ do: 'make_memory', name, size: 300 })
    using now = SharedMemory.open(name)
    t.is(now.byteLength, 300)
    old.unlink()
    old.close()
    t.true(existsSync(file(name)))
    await python.tell({ do: 'unlink' })
    await python.tell({ do: 'close' })
  })
})

pythonTest('Python: an array by np.frombuffer keeps the memory that np.ndarray would lose', t => {
  using array = NDArray.create(null, { shape: [3], dtype: 'uint8', fill: 7 })
  const program = `
import gc, sys
from multiprocessing import resource_tracker, shared_memory
import numpy as np
memory = shared_memory.SharedMemory(name=sys.argv[1])
resource_tracker.unregister('/' + sys.argv[1], 'shared_memory')
array = np.frombuffer(memory.buf, 'uint8', 3, int(sys.argv[2]))
try:
    memory.close()
except BufferError:
    print('BufferError')
sys.unraisablehook = lambda _: None
del memory
gc.collect()
print(array.tolist())`
  t.is(runPython(program, array.name, String(array.data.byteOffset)), 'BufferError\n[7, 7, 7]\n')
})

// The page for Python users.

const page = readFileSync(join(root, 'docs', 'python.md'), 'utf8')
const sections = page.split(/^## /m).slice(1)

/** The fenced blocks of js and python in a text. */
const blocksOf = (text: string) =>
  [...text.matchAll(/^```(js|python)\n(.*?)^```$/gms)].map(([, language, code = '']) => ({ language, code }))

/** What a text says that its code prints. */
const promisedBy = (text: string) => [...text.matchAll(/(?:\/\/|#) → (.*)$/gm)].map(([, printed]) => printed)

const AsyncFunction = (async () => undefined).constructor as new (
  ...parametersAndBody: string[]
) => (...values: unknown[]) => Promise<void>

/** The code with names of its own for segments, and a place of its own for files. */
function isolate(section: string): { text: string; names: string[] } {
  const found = section.matchAll(
    /(?:create|open|from|attach)\('(\w+)'|name='(\w+)', create|\/dev\/shm\/(\w+)'/g,
  )
  const names = new Map(
    [...found].map(match => match.slice(1).find(Boolean) as string).map(name => [name, forPython(name)]),
  )
  const text = section
    .replaceAll(/(['/])(\w+)(?=')/g, (whole, before, name) =>
      names.has(name) ? before + names.get(name) : whole,
    )
    .replaceAll(/'(\w+\.npy)'/g, (_, name) => JSON.stringify(join(folder, name)))
  return { text, names: [...names.values()] }
}

for (const section of sections.filter(text => blocksOf(text).length > 0)) {
  const heading = section.slice(0, section.indexOf('\n'))
  pythonTest(`Python: the code of docs/python.md, "${heading}"`, async t => {
    const { text, names } = isolate(section)
    const blocks = blocksOf(text)
    const python = await hire<SnippetOrders>('python/run-snippets', { as: 'python' })
    const printed: string[] = []
    const log = (...values: unknown[]) => printed.push(format(...values))
    const snippet = async (index: number) => {
      const output = await python.tell({ do: 'run', title: heading, code: blocks[index]?.code ?? '' })
      printed.push(...output.split('\n').slice(0, -1))
    }
    // One function with all of Node's blocks, so that they see each other's variables, and calls
    // for Python's.
    const body = blocks.map(({ language, code }, index) =>
      language === 'js'
        ? code.replaceAll(/^import (\{.*\}) from ('.*')$/gm, 'const $1 = require($2)')
        : `await snippet(${index})\n`,
    )
    await new AsyncFunction('require', 'console', 'snippet', body.join('\n'))(require, { log }, snippet)
    t.deepEqual(await python.leave(), { code: 0, signal: null, stderr: '' })
    t.deepEqual(printed, promisedBy(text))
    t.true(names.length > 0)
    for (const name of names) t.false(existsSync(file(name)), `${name} is left behind`)
  })
}

pythonTest('Python: docs/python.md shows the attach that the tests use, and all types', async t => {
  const attach = readFileSync(join(root, '__test__', 'fixtures', 'python', 'attach.py'), 'utf8')
  t.true(blocksOf(page).some(({ code }) => code === attach))
  const rows = [...page.matchAll(/^\| `(\w+)` \| `(.*?)` \| `(\w+)`/gm)].map(
    ([, dtype, code = '', storage = '']) => ({
      dtype: dtype as DType,
      code: code.replace('\\', ''),
      storage,
    }),
  )
  t.deepEqual(
    rows.map(row => row.dtype),
    [...dtypes, 'S8', 'U8'],
  )
  await withArrays(t, async python => {
    for (const { dtype, code, storage } of rows) {
      using array = NDArray.create(null, { shape: [], dtype })
      t.is((await python.tell({ do: 'open_by_load', name: array.name })).code, code)
      const ours = array.data.constructor.name
      t.is(dtype === 'float16' && ours === 'Uint16Array' ? 'Float16Array' : ours, storage)
    }
  })
})
