import { spawnSync } from 'node:child_process'
import { type DType, dtypes } from '../../src/nd/dtype.js'
import { dtypeFromDescr, readDescr } from '../../src/npy/descr.js'
import { python, pythonTest } from '../helpers/python.js'

const spell = String.raw`
import json, string, warnings
import numpy as np

warnings.simplefilter('ignore')
letters = [c for c in string.ascii_letters + '?' if c not in 'OSUVTaMmcgG']
names = [name for name in getattr(np, 'sctypeDict', {}) if isinstance(name, str)]
sized = [c + n for c in letters for n in '1 2 4 8 16 02 008 +4'.split()] + ['f 8', 'i\t4']
read = {}
for code in letters + names + sized:
    for order in ['', '<', '>', '=', '|']:
        try:
            dtype = np.dtype(order + code)
        except Exception:
            continue
        if dtype.kind in 'biufc' and dtype.itemsize <= (16 if dtype.kind == 'c' else 8):
            read[order + code] = [dtype.name, dtype.byteorder == '>']
print(json.dumps(read))
`

pythonTest('Python: every spelling that numpy.dtype reads means the same here', t => {
  const { stdout, stderr } = spawnSync(python().path as string, ['-c', spell], { encoding: 'utf8' })
  const read = Object.entries(JSON.parse(stdout || stderr) as Record<string, [DType, boolean]>)
  t.true(read.length > 200)
  for (const [spelling, [dtype, isBigEndian]] of read) {
    t.true(dtype in dtypes, dtype)
    t.deepEqual(readDescr(spelling), { dtype, isSwapped: isBigEndian }, spelling)
    if (isBigEndian) t.throws(() => dtypeFromDescr(spelling), { code: 'ERR_UNSUPPORTED' }, spelling)
    else t.is(dtypeFromDescr(spelling), dtype, spelling)
  }
})
