// A CommonJS module that uses the package: only its types are checked, by .ci/run.
import crossmem = require('crossmem')
import maps = require('crossmem/map')

const memory: crossmem.SharedMemory = crossmem.SharedMemory.openOrCreate('counters', 64)
const array: crossmem.NDArray<'uint8'> = crossmem.NDArray.from('pixels', new Uint8Array(12), {
  shape: [2, 2, 3],
  dtype: 'uint8',
})
const code: crossmem.CrossmemErrorCode = 'ERR_PEER_DIED'
memory[Symbol.dispose]()
const map: maps.SharedMap<number> = maps.SharedMap.open('hits')
// One class, whichever entry it comes from.
const opened: maps.SharedMap = crossmem.open({ crossmem: 'SharedMap', name: 'hits' })

export = { array, code, map, opened }
