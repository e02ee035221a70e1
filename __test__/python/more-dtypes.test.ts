import '../helpers/domain.js'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DType, type DTypeLike, NDArray, open } from 'crossmem'
import { dtypeInfo } from '../../src/nd/dtype.js'
import { printDescr } from '../../src/npy/descr.js'
import { unique } from '../helpers/domain.js'
import { folder } from '../helpers/folder.js'
import { pythonTest, runPython } from '../helpers/python.js'
import { random } from '../helpers/random.js'

// Times, strings and records, both ways, in files and in shared memory.

/** What each program begins with: the arrays, by name, and how their elements are told as JSON. */
const prelude = `
import json, sys
import numpy as np

units = 'Y M W D h m s ms us ns ps fs as 25s 7D 12M'.split()
counts = [0, 1, -1, 12345, -(2**63), 2**31]
arrays = {f'M8[{unit}]': np.array(counts, 'i8').view(f'M8[{unit}]') for unit in units}
arrays.update({f'm8[{unit}]': np.array(counts, 'i8').view(f'm8[{unit}]') for unit in units})
arrays.update({kind: np.array(counts, 'i8').view(kind) for kind in ['M8', 'm8']})
arrays['S5'] = np.array([[b'', b'a', b'abcde'], [b'\\0a', b'\\xff', b'x']])
arrays['U3'] = np.asfortranarray(np.array([['', 'a', 'abc'], ['é', '漢字', '😀']]))
arrays['scalar'] = np.array('text')

def records(dtype, shape=(2, 2)):
    dtype = np.dtype(dtype)
    made = np.zeros(shape, dtype)
    def fill(a, seed):
        for i, name in enumerate(a.dtype.names):
            field = a[name]
            if field.dtype.names:
                fill(field, seed + i)
            else:
                numbers = np.arange(field.size).reshape(field.shape) * (i + 2) + seed
                text = numbers.astype('U')
                field[...] = text if field.dtype.kind in 'SU' else numbers.astype(field.dtype)
    fill(made, 1)
    return made

structs = {
    'packed': [('id', 'i8'), ('px', 'f8', (3,)), ('sym', 'S8')],
    'odd': [('a', 'i1'), ('b', 'f8'), ('c', 'c8', (2, 1)), ('d', 'U3'), ('e', 'M8[ns]'), ('f', '?'), ('g', 'f2')],
    'nested': [('x', [('y', 'u2', 2), ('z', [('w', 'i4')], (2,))]), ('v', 'm8[25s]')],
    'aligned': np.dtype([('a', 'i1'), ('b', 'f8'), ('c', 'i2')], align=True),
    'offsets': np.dtype({'names': ['a', 'b'], 'formats': ['u1', '<f4'], 'offsets': [2, 8], 'itemsize': 20}),
    'titles': [(('the title', 'a'), 'i4'), (("it's", 'b\\n'), 'i2')],
    'latin1': [('é', 'i4')],
    'unicode': [('漢', 'i4'), ('😀', 'S2')],
    'long': [(f'field number {i}', 'i1') for i in range(250)],
}
arrays.update({name: records(dtype) for name, dtype in structs.items()})
big = {name: array.astype(array.dtype.newbyteorder('>')) for name, array in arrays.items()}

def tell(value):
    if isinstance(value, np.void):
        return [tell(value[name]) for name in value.dtype.names]
    if isinstance(value, np.ndarray):
        return [tell(part) for part in value] if value.ndim else tell(value[()])
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return str(int(value.astype('i8')))
    if isinstance(value, bytes):
        return [*value]
    if isinstance(value, (complex, np.complexfloating)):
        return [float(value.real), float(value.imag)]
    if isinstance(value, (np.bool_, np.str_, float)):
        return value.item() if hasattr(value, 'item') else value
    return str(value) if isinstance(value, (np.int64, np.uint64)) else value.item()
`

/** An element as \`tell\` has it. */
function tell(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(tell)
  return typeof value === 'object' && value !== null ? Object.values(value).map(tell) : value
}

const run = (program: string, ...args: string[]): string => runPython(prelude + program, ...args)

const save = `
import warnings
warnings.simplefilter('ignore')
told = {}
for i, (name, array) in enumerate(arrays.items()):
    np.save(f'{sys.argv[1]}/{i}.npy', array)
    np.save(f'{sys.argv[1]}/{i}-big.npy', big[name])
    told[name] = tell(array)
np.savez(f'{sys.argv[1]}/all.npz', **{f'a{i}': array for i, array in enumerate(big.values())})
print(json.dumps(told))
`
const compare = `
def equal(ours, theirs):
    assert ours.dtype == theirs.dtype, (ours.dtype, theirs.dtype)
    assert ours.dtype.isnative
    if theirs.dtype.kind in 'Mm':
        ours, theirs = ours.view('i8'), theirs.view('i8')
    assert np.array_equal(ours, theirs), (ours, theirs)

with np.load(f'{sys.argv[1]}/ours.npz') as zipped:
    for i, theirs in enumerate(arrays.values()):
        equal(np.load(f'{sys.argv[1]}/{i}-ours.npy'), theirs)
        equal(zipped[f'a{i}'], theirs)
print('equal')
`

pythonTest('Python: times, strings and records go both ways through .npy and .npz files', async t => {
  const at = folder(t)
  const told = Object.entries(JSON.parse(run(save, at)) as Record<string, unknown>)
  const zipped = await NDArray.loadNpz(join(at, 'all.npz'))
  for (const [i, [name, elements]] of told.entries()) {
    const path = join(at, `${i}.npy`)
    using array = await NDArray.load(path)
    t.deepEqual(tell(array.toNested()), elements, name)
    using big = await NDArray.load(join(at, `${i}-big.npy`))
    t.deepEqual(big.dtype, array.dtype, name)
    t.deepEqual(tell(big.toNested()), elements, name)
    t.deepEqual(tell(zipped[`a${i}`]?.toNested()), elements, name)
    const bytes = Uint8Array.from(readFileSync(path))
    using same = NDArray.from(null, bytes.buffer)
    t.deepEqual(same.data, array.data)
    const ours = join(at, `${i}-ours.npy`)
    await array.save(ours)
    t.deepEqual(readFileSync(ours), readFileSync(path), `${name}: byte for byte what NumPy writes`)
    using copied = NDArray.from(null, array)
    t.deepEqual(tell(copied.toNested()), elements, name)
  }
  await NDArray.saveNpz(join(at, 'ours.npz'), zipped)
  t.is(run(compare, at), 'equal\n')
  for (const array of Object.values(zipped)) array.close()
})

const reverse = `
theirs = arrays[sys.argv[2]]
array = np.load('/dev/shm/' + sys.argv[1], mmap_mode='r+')
before = tell(np.array(array))
array[...] = np.array(theirs)[::-1]
print(json.dumps([before, tell(theirs[::-1]), array.dtype == theirs.dtype]))
`

const shared: [name: string, dtype: DTypeLike, shape: number[]][] = [
  ['M8[25s]', 'M8[25s]', [6]],
  ['m8[ns]', 'timedelta64[ns]', [6]],
  ['S5', 'S5', [2, 3]],
  ['U3', 'U3', [2, 3]],
  [
    'packed',
    [
      ['id', '<i8'],
      ['px', '<f8', [3]],
      ['sym', 'S8'],
    ],
    [2, 2],
  ],
  [
    'odd',
    [
      ['a', 'i1'],
      ['b', 'f8'],
      ['c', 'c8', [2, 1]],
      ['d', 'U3'],
      ['e', 'M8[ns]'],
      ['f', 'bool'],
      ['g', 'f2'],
    ],
    [2, 2],
  ],
  [
    'nested',
    [
      [
        'x',
        [
          ['y', 'u2', 2],
          ['z', [['w', 'i4']], [2]],
        ],
      ],
      ['v', 'm8[25s]'],
    ],
    [2, 2],
  ],
  ['aligned', { names: ['a', 'b', 'c'], formats: ['i1', 'f8', 'i2'], aligned: true }, [2, 2]],
  ['offsets', { names: ['a', 'b'], formats: ['u1', 'f4'], offsets: [2, 8], itemsize: 20 }, [2, 2]],
]

pythonTest('Python: arrays of times, strings and records are one memory, made by Node', t => {
  for (const [name, dtype, shape] of shared) {
    using array = NDArray.create(unique('ours'), { shape, dtype })
    const zeros = tell(array.toNested())
    const [before, after, isSame] = JSON.parse(run(reverse, array.name, name))
    t.true(isSame, name)
    t.deepEqual(before, zeros, name)
    t.deepEqual(tell(array.toNested()), after, name)
  }
})

const make = `
for i, (name, array) in enumerate(arrays.items()):
    made = np.lib.format.open_memmap(f'/dev/shm/{sys.argv[1]}{i}', 'w+', array.dtype, array.shape)
    made[...] = array
print(json.dumps([tell(array) for array in arrays.values()]))
`
const isZero = `
for i, array in enumerate(arrays.values()):
    made = np.load(f'/dev/shm/{sys.argv[1]}{i}', mmap_mode='r')
    assert made.dtype == array.dtype
    assert np.array_equal(made, np.zeros_like(array)), made
print('zero')
`

pythonTest('Python: arrays of times, strings and records are one memory, made by NumPy', t => {
  const name = unique('theirs')
  const told = JSON.parse(run(make, name)) as unknown[]
  const arrays = told.map((_, i) => open({ crossmem: 'NDArray', name: `${name}${i}` }))
  try {
    for (const [i, elements] of told.entries()) {
      const array = arrays[i] as NDArray
      t.deepEqual(tell(array.toNested()), elements)
      using zero = NDArray.create(null, { shape: 1, dtype: array.dtype })
      array.fill(zero.get(0) as never)
    }
    t.is(run(isZero, name), 'zero\n')
  } finally {
    for (const array of arrays) {
      array.unlink()
      array.close()
    }
  }
})

const describe = `
def dtype_of(form):
    if isinstance(form, str):
        return form
    if len(form) == 2 and isinstance(form, list) and isinstance(form[1], list) and all(isinstance(n, int) for n in form[1]):
        return (dtype_of(form[0]), tuple(form[1]))
    if isinstance(form, list):
        return [(tuple(f[0]) if isinstance(f[0], list) else f[0], dtype_of(f[1]), *map(tuple, f[2:])) for f in form]
    return {**form, 'formats': [dtype_of(f) for f in form['formats']]}

for form in json.loads(sys.argv[1]):
    dtype = np.dtype(dtype_of(form))
    print(json.dumps([repr(np.lib.format.dtype_to_descr(dtype)), dtype.itemsize]))
`

pythonTest('Python: random records are laid out as NumPy does', t => {
  const below = random(20261130)
  const pick = <T>(items: readonly T[]) => items[below(items.length)] as T
  const codes = [
    '?',
    'i1',
    '<u2',
    'i4',
    '<i8',
    'f2',
    'f4',
    '<f8',
    'c8',
    'c16',
    'S3',
    'U2',
    'M8[25s]',
    'm8[ns]',
  ]
  const shape = () => Array.from({ length: 1 + below(2) }, () => 1 + below(3))
  const format = (depth: number): unknown => (depth > 0 && below(4) === 0 ? form(depth - 1) : pick(codes))
  const form = (depth: number): unknown => {
    const names = Array.from({ length: 1 + below(4) }, (_, i) => `f${i}`)
    if (below(3) === 0)
      return names.map(name => {
        const label = below(4) === 0 ? [`title of ${name}`, name] : name
        return below(3) === 0 ? [label, format(depth), shape()] : [label, format(depth)]
      })
    const formats = names.map(() => (below(3) === 0 ? [format(depth), shape()] : format(depth)))
    return { names, formats, aligned: below(3) > 0 }
  }
  const forms = Array.from({ length: 300 }, () => form(2))
  const described = run(describe, JSON.stringify(forms)).trim().split('\n')
  for (const [i, line] of described.entries()) {
    const { descr, itemBytes } = dtypeInfo(forms[i] as DType)
    t.deepEqual([printDescr(descr), itemBytes], JSON.parse(line), JSON.stringify(forms[i]))
  }
  t.is(described.length, forms.length)
})
