import '../helpers/domain.js'
import { NDArray, type NumericCode, SharedArray, Value } from 'crossmem'
import { pythonTest, runPython } from '../helpers/python.js'

const program = `
import json
from multiprocessing.sharedctypes import typecode_to_type
import ctypes

codes = [c for c in typecode_to_type if c not in 'cuw']
sizes = {c: ctypes.sizeof(typecode_to_type[c]) for c in codes}
numbers = {c: typecode_to_type[c](-1).value for c in codes}
print(json.dumps([[c, sizes[c], numbers[c] > 0] for c in codes]))
`

pythonTest('Python: its type codes of numbers are those of Value, SharedArray and NDArray', t => {
  const codes = JSON.parse(runPython(program)) as [NumericCode, number, boolean][]
  t.true(codes.length >= 12)
  for (const [code, bytes, isUnsigned] of codes) {
    using value = Value.create(null, code, 1 as never)
    using array = SharedArray.create(null, code, 1)
    using matrix = NDArray.create(null, { dtype: code, shape: 1 })
    t.is(array.data.byteLength, bytes, code)
    t.deepEqual([array.dtype, matrix.dtype], [value.dtype, value.dtype], code)
    t.is(value.dtype.startsWith('u'), isUnsigned, code)
    using same = Value.openOrCreate(value.name, code)
    t.is(Number(same.value), 1, code)
  }
})
