// A CommonJS module that uses the package: only its types are checked, by .ci/run.
import crossmem = require('crossmem')

const memory: crossmem.SharedMemory = crossmem.SharedMemory.openOrCreate('counters', 64)
const array: crossmem.NDArray<'uint8'> = crossmem.NDArray.from('pixels', new Uint8Array(12), {
  shape: [2, 2, 3],
  dtype: 'uint8',
})
const code: crossmem.CrossmemErrorCode = 'ERR_PEER_DIED'
memory[Symbol.dispose]()

export = { array, code }
