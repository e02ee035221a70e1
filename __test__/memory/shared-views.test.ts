import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import ava from 'ava'
import { list, NDArray, SharedArray, SharedMemory } from 'crossmem'
import { unique } from '../helpers/domain.js'
import { fixture } from '../helpers/paths.js'
import { installRuntime } from '../helpers/runtime.js'

const test = ava.serial
const run = promisify(execFile)

const makers = [
  () => NDArray.create(null, { shape: [2] }),
  () => SharedArray.create(null, 'int32', 2),
  () => SharedMemory.create(null, 2),
]

/** Whether this runtime makes a SharedArrayBuffer of shared memory. */
function isOffered(): boolean {
  using memory = SharedMemory.create(null, 1)
  try {
    return memory.shared.length === 1
  } catch {
    return false
  }
}

if (process.platform === 'linux') {
  test('worker threads share the memory, and it goes when no thread has it', async t => {
    const node = isOffered() ? process.execPath : await installRuntime('node@26', 'node')
    const { stdout } = await run(node, [fixture('memory/share-with-workers'), unique('shared')])
    t.deepEqual(JSON.parse(stdout), {
      written: {
        seen: ['1,1,1,1,1,1', '2,2,2,2', '3,3,3,3,3'],
        areShared: true,
        areOne: true,
      },
      classes: { same: true, empty: 0 },
      counted: 3,
      afterClose: {
        before: { told: 7, kept: '7,0', closed: 'ERR_CLOSED', data: 'ERR_CLOSED' },
        nameless: { kept: '7,8', listed: false, mapped: 1 },
        unmapped: true,
      },
      outliving: { listed: false, seen: '5,5', written: '6,6', unmapped: true },
      often: true,
      left: 0,
    })
    t.deepEqual(list(), [], 'the process that ended left nothing')
  })
}

if (!isOffered()) {
  test('where it is not offered, the error says what to do', t => {
    for (const make of makers) {
      using object = make()
      t.throws(() => object.shared, {
        code: 'ERR_UNSUPPORTED',
        message: /Node 22\.23\.3.*in the worker thread/,
      })
    }
  })
}

test('a closed handle says so first', t => {
  for (const make of makers) {
    const object = make()
    object.close()
    t.throws(() => object.shared, { code: 'ERR_CLOSED' })
  }
})
