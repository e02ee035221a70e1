import '../helpers/domain.js'
import { RecordQueue } from 'crossmem'
import { pythonTest, runPython } from '../helpers/python.js'

/** What docs/python.md says of the slots of a queue. */
const SHOW = `
import sys
import numpy as np

path, first, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(path, 'rb') as file:
    file.seek(512)
    assert np.lib.format.read_magic(file) == (1, 0)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    slots = np.memmap(path, dtype, 'r', file.tell(), shape)
batch = slots[first:first + length]
print(shape, dtype)
print(*[batch[name].tolist() for name in dtype.names])
`

pythonTest('NumPy shows a batch in the ring as a record array', t => {
  const dtype = [
    ['id', '<i8'],
    ['px', '<f8', [2]],
    ['sym', 'S4'],
    ['name', 'U3'],
    ['ok', 'b1'],
  ] as const
  using queue = RecordQueue.create(null, { dtype, capacity: 5 })
  const record = (i: number) => ({
    id: BigInt(i),
    px: [i, i / 2],
    sym: `s${i}`,
    name: `ä${i}`,
    ok: i % 2 > 0,
  })
  queue.putManySync([0, 1, 2].map(record))
  queue.getManySync(3)
  queue.putManySync([3, 4, 5].map(record))
  using batch = queue.getBatchSync(9)
  const shown = runPython(SHOW, `/dev/shm/${queue.name}`, String(batch.first), String(batch.length))
  t.is(
    shown,
    "(5,) [('id', '<i8'), ('px', '<f8', (2,)), ('sym', 'S4'), ('name', '<U3'), ('ok', '?')]\n" +
      "[3, 4] [[3.0, 1.5], [4.0, 2.0]] [b's3', b's4'] ['ä3', 'ä4'] [True, False]\n",
  )
})
