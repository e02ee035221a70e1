import { spawnSync } from 'node:child_process'
import { checkUsable, readDType } from '../../src/nd/dtype.js'
import { numericDTypes } from '../../src/nd/numbers.js'
import type { NumericDType } from '../../src/nd/types.js'
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
  const read = Object.entries(JSON.parse(stdout || stderr) as Record<string, [NumericDType, boolean]>)
  t.true(read.length > 200)
  for (const [spelling, [dtype, isBigEndian]] of read) {
    t.true(dtype in numericDTypes, dtype)
    const found = readDType(spelling)
    t.is(found.info.name, dtype, spelling)
    t.is(found.swapped.length, Number(isBigEndian), spelling)
    if (isBigEndian) t.throws(() => checkUsable(found), { code: 'ERR_UNSUPPORTED' }, spelling)
    else t.is(checkUsable(found).name, dtype, spelling)
  }
})

const spellMore = `
import json, warnings
import numpy as np

warnings.simplefilter('ignore')
counts = ['', '1', '25', '025', '+7', ' 3', '0', '-1', '2147483647', '2147483648', '1 ', '1.5']
units = ['Y', 'M', 'W', 'D', 'h', 'm', 's', 'ms', 'us', 'μs', 'ns', 'ps', 'fs', 'as', 'generic', 'B', 'x', '', ' s']
codes = [c + '[' + n + u + ']' for c in ['M8', 'm8', 'datetime64', 'timedelta64', 'M', 'M4'] for n in counts for u in units]
codes += [c + n for c in 'SUaV' for n in ['1', '5', '05', '+5', ' 5', '-1', '1.5', '5 ', '2147483647', '2147483648', '536870911', '536870912']]
codes += ['M8', 'm8', 'M', 'm', 'datetime64', 'timedelta64', 'M9']
read = {}
for code in codes:
    for order in ['', '<', '>', '=', '|']:
        if order and code[:4] in ('date', 'time'):
            continue
        try:
            dtype = np.dtype(order + code)
        except Exception:
            read[order + code] = None
            continue
        read[order + code] = [dtype.newbyteorder('=').str, dtype.byteorder == '>']
print(json.dumps(read))
`

pythonTest('Python: times and strings are spelled as numpy.dtype reads them', t => {
  const { stdout, stderr } = spawnSync(python().path as string, ['-c', spellMore], { encoding: 'utf8' })
  const read = Object.entries(JSON.parse(stdout || stderr) as Record<string, [string, boolean] | null>)
  t.true(read.length > 3000)
  const found = { read: 0, refused: 0 }
  for (const [spelling, expected] of read) {
    // NumPy takes times of 0 units, with which it can't compute.
    if (expected === null || (spelling.includes('[0') && !spelling.includes('[025'))) {
      found.refused++
      t.throws(() => readDType(spelling), { code: 'ERR_UNSUPPORTED' }, spelling)
      continue
    }
    found.read++
    const { info, swapped } = readDType(spelling)
    t.is(info.descr as string, expected[0], spelling)
    t.is(swapped.length, Number(expected[1]), spelling)
  }
  t.true(found.read > 1000 && found.refused > 500, JSON.stringify(found))
})
