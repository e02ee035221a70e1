import '../helpers/domain.js'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NDArray, open, type SmallFloatDType } from 'crossmem'
import { smallFloatDTypes } from '../../src/nd/small-floats.js'
import { mlDtypesTest, runPython } from '../helpers/python.js'

const prelude = `
import json, sys, warnings
import numpy as np, ml_dtypes

warnings.simplefilter('ignore')
def type_of(name):
    return np.dtype(getattr(ml_dtypes, name))
def bits_of(array):
    return array.view(f'u{array.dtype.itemsize}').ravel().tolist()
def tell(values):
    return [repr(float(value)).replace('nan', 'NaN').replace('inf', 'Infinity') for value in values.ravel()]
`

const run = (program: string, ...args: string[]): string => runPython(prelude + program, ...args)

/** As \`tell\` spells numbers. */
const tell = (value: number): number | string => (Object.is(value, -0) ? '-0' : value)

const save = `
told = {}
for name in sys.argv[2:]:
    dtype = type_of(name)
    size = {'float4': 16, 'float6': 64}.get(name.split('_')[0], 256 ** dtype.itemsize)
    every = np.arange(size, dtype=f'u{dtype.itemsize}').view(dtype)
    np.save(f'{sys.argv[1]}/{name}.npy', every)
    np.savez(f'{sys.argv[1]}/{name}.npz', every=every)
    rng = np.random.default_rng(5)
    numbers = np.concatenate([
        (rng.standard_normal(3000) * 2.0 ** rng.integers(-40, 20, 3000)).astype('f4'),
        rng.standard_normal(3000).astype('f4') * 8,
        np.array([0, -0.0, np.inf, -np.inf, 1e38, -1e38, 1e-45], 'f4'),
        np.array([] if '4_' in name or '6_' in name else [np.nan], 'f4'),
    ])
    told[name] = [tell(every), tell(numbers), bits_of(numbers.astype(dtype))]
print(json.dumps(told))
`
const compare = `
for name in sys.argv[2:]:
    theirs = np.load(f'{sys.argv[1]}/{name}-ours.npy')
    assert theirs.dtype.kind == 'V', theirs.dtype
    every = np.arange(theirs.size, dtype=f'u{theirs.dtype.itemsize}')
    assert bits_of(theirs.view(type_of(name))) == every.tolist(), name
print('equal')
`

mlDtypesTest('Python: the floats of ml_dtypes are the same numbers, and rounded alike', async t => {
  const at = mkdtempSync(join(tmpdir(), 'crossmem-'))
  t.teardown(() => rmSync(at, { recursive: true }))
  const told = JSON.parse(run(save, at, ...smallFloatDTypes)) as Record<
    SmallFloatDType,
    [every: string[], numbers: string[], bits: number[]]
  >
  for (const dtype of smallFloatDTypes) {
    const [every, numbers, bits] = told[dtype]
    const path = join(at, `${dtype}.npy`)
    using array = await NDArray.load(path, { dtype })
    t.is(array.dtype, dtype)
    t.deepEqual((array.toNested() as number[]).map(tell), every.map(Number).map(tell), dtype)
    await array.save(join(at, `${dtype}-ours.npy`))
    const zipped = await NDArray.loadNpz(join(at, `${dtype}.npz`), { dtypes: { every: dtype } })
    t.deepEqual(zipped.every?.data, array.data)
    zipped.every?.close()
    using rounded = NDArray.from(null, numbers.map(Number), { dtype })
    for (const [i, number] of numbers.entries())
      if (rounded.data[i] !== bits[i]) t.is(rounded.data[i], bits[i], `${dtype}: ${number}`)
    // Only of this type does the file say more than the number of bytes.
    if (dtype === 'float8_e5m2') (await NDArray.load(path)).close()
    else await t.throwsAsync(NDArray.load(path), { code: 'ERR_UNSUPPORTED', message: /option dtype/ })
  }
  t.is(run(compare, at, ...smallFloatDTypes), 'equal\n')
})

const change = `
array = np.load('/dev/shm/' + sys.argv[1], mmap_mode='r+')
floats = (array['x'] if array.dtype.names else array).view(type_of(sys.argv[2]))
print(json.dumps(tell(floats)))
floats[...] = -floats
`

mlDtypesTest('Python: an array of bfloat16 is one memory, alone and as a field', t => {
  using array = NDArray.from(null, [1.5, -0.25, 3], { dtype: 'bfloat16' })
  t.deepEqual(JSON.parse(run(change, array.name, 'bfloat16')).map(Number), [1.5, -0.25, 3])
  t.deepEqual(array.toNested(), [-1.5, 0.25, -3])
  using again = open(JSON.parse(JSON.stringify(array)))
  t.deepEqual((again as NDArray).toNested(), array.toNested())
  const dtype = [
    ['x', 'float8_e4m3fn'],
    ['y', 'int8'],
  ] as const
  using records = NDArray.create(null, { shape: 2, dtype, fill: { x: 448, y: 1 } })
  t.deepEqual(JSON.parse(run(change, records.name, 'float8_e4m3fn')).map(Number), [448, 448])
  t.deepEqual(records.field('x').toNested(), [-448, -448])
  t.throws(() => NDArray.open(records.name), { code: 'ERR_UNSUPPORTED', message: /in the field 'x'/ })
  using same = NDArray.open(records.name, { dtype })
  t.deepEqual(same.toNested(), records.toNested())
})
