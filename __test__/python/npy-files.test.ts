import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { NDArray } from 'crossmem'
import { python, pythonTest } from '../helpers/python.js'

/** Runs a Python program, and returns what it prints. */
function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(python.path as string, ['-c', program, ...args], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'crossmem-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

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
  const count = Number(run(saveBigEndian, at))
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
  t.is(run(compare, at, String(count)), 'equal\n')
})
