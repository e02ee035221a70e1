import '../helpers/domain.js'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NDArray } from 'crossmem'
import { folder } from '../helpers/folder.js'
import { pythonTest, runPython } from '../helpers/python.js'

const saveBigEndian = `
import sys
import numpy as np

codes = '? b B >i2 >u2 >i4 >u4 >i8 >u8 >f2 >f4 >f8 >c8 >c16'.split()
for i, code in enumerate(codes):
    for order in 'CF':
        values = np.arange(6).reshape(2, 3)
        values = values % 2 if code == '?' else values * (1 - 2j) if 'c' in code else values
        np.save(f'{sys.argv[1]}/{i}{order}.npy', np.array(values, code, order=order))
print(len(codes))
`
const compare = `
import sys
import numpy as np

for i in range(int(sys.argv[2])):
    for order in 'CF':
        theirs = np.load(f'{sys.argv[1]}/{i}{order}.npy')
        ours = np.load(f'{sys.argv[1]}/{i}{order}-ours.npy')
        assert ours.dtype == theirs.dtype.newbyteorder('='), (ours.dtype, theirs.dtype)
        assert ours.dtype.isnative
        assert np.array_equal(ours, theirs), (ours, theirs)
        assert ours.flags.f_contiguous == theirs.flags.f_contiguous
print('equal')
`

pythonTest('Python: load and from convert big-endian files, and save writes them native', async t => {
  const at = folder(t)
  const count = Number(runPython(saveBigEndian, at))
  t.is(count, 14)
  for (let i = 0; i < count; i++) {
    for (const order of ['C', 'F'] as const) {
      const path = join(at, `${i}${order}`)
      using array = await NDArray.load(`${path}.npy`)
      t.is(array.order, order)
      const bytes = Uint8Array.from(readFileSync(`${path}.npy`))
      using same = NDArray.from(null, bytes.buffer)
      t.deepEqual(same.data, array.data)
      await array.save(`${path}-ours.npy`)
    }
  }
  t.is(runPython(compare, at, String(count)), 'equal\n')
})

const saveZip = `
import sys
import numpy as np

arrays = dict(a=np.arange(6, dtype='<i4').reshape(2, 3), b=np.asfortranarray(np.ones((2, 2), '>f8') * 1.5),
              c=np.array(7, 'c8'), empty=np.zeros((0, 3), 'u1'))
np.savez(f'{sys.argv[1]}/plain.npz', **arrays)
np.savez_compressed(f'{sys.argv[1]}/compressed.npz', **arrays)
`
const loadZip = `
import sys
import numpy as np

with np.load(sys.argv[1]) as file:
    for name in sorted(file.files):
        array = file[name]
        print(name, array.dtype, array.shape, array.flags.f_contiguous, array.tolist())
`

pythonTest('Python: .npz files go both ways', async t => {
  const at = folder(t)
  runPython(saveZip, at)
  for (const name of ['plain', 'compressed']) {
    const arrays = await NDArray.loadNpz(join(at, `${name}.npz`))
    t.deepEqual(
      Object.entries(arrays).map(([key, array]) => [key, array.dtype, array.order, array.toNested()]),
      [
        [
          'a',
          'int32',
          'C',
          [
            [0, 1, 2],
            [3, 4, 5],
          ],
        ],
        [
          'b',
          'float64',
          'F',
          [
            [1.5, 1.5],
            [1.5, 1.5],
          ],
        ],
        ['c', 'complex64', 'C', [7, 0]],
        ['empty', 'uint8', 'C', []],
      ],
    )
    const path = join(at, 'ours.npz')
    const { a, b } = arrays as { a: NDArray; b: NDArray }
    const sources = {
      a,
      b,
      column: a.subarray(null, 1),
      typed: Uint8Array.of(1, 2),
      nested: [[true], [false]],
    }
    await NDArray.saveNpz(path, sources, { compress: name === 'compressed' })
    t.is(
      runPython(loadZip, path),
      [
        'a int32 (2, 3) False [[0, 1, 2], [3, 4, 5]]',
        'b float64 (2, 2) True [[1.5, 1.5], [1.5, 1.5]]',
        'column int32 (2,) True [1, 4]',
        'nested bool (2, 1) True [[True], [False]]',
        'typed uint8 (2,) True [1, 2]',
        '',
      ].join('\n'),
    )
    for (const array of Object.values(arrays)) array.close()
  }
})
