import '../helpers/domain.js'
import test from 'ava'
import * as crossmem from 'crossmem'
import { list } from 'crossmem'

interface Maker {
  create(name: null, ...args: unknown[]): Disposable & { name: string }
  openOrCreate(name: string, ...args: unknown[]): Disposable
}

/** For each class: arguments behind the name, and such as are refused, as a wrong `persist` is. */
const CLASSES: Record<string, { good: unknown[]; bad: unknown[][] }> = {
  Mutex: { good: [], bad: [] },
  RLock: { good: [], bad: [] },
  RwLock: { good: [], bad: [] },
  Condition: { good: [], bad: [] },
  Event: { good: [], bad: [[{ autoReset: 1 }]] },
  Semaphore: { good: [1], bad: [[-1], [1.5], [2, { max: 1 }], [1, { max: 0 }]] },
  Barrier: { good: [2], bad: [[0], ['2'], [2, { action: 1 }]] },
  SharedMemory: { good: [8], bad: [[0], ['8'], []] },
  Value: { good: ['int32', 0], bad: [['int7'], ['int32', 'x'], ['int32', 0, { lock: 1 }]] },
  SharedArray: {
    good: ['int32', 2],
    bad: [
      ['int7', 2],
      ['int32', 'x'],
      ['int32', 2, { lock: 1 }],
    ],
  },
  Queue: {
    good: [],
    bad: [[{ capacity: 0 }], [{ messageBytes: -1 }], [{ redeliver: 1 }], [{ codec: 'x' }]],
  },
  JoinableQueue: { good: [], bad: [[{ capacity: 0 }]] },
  MpmcQueue: { good: [], bad: [[{ capacity: 0 }], [{ spill: 1 }]] },
  SpscQueue: { good: [], bad: [[{ capacity: 0 }]] },
}
const OPTIONS = [
  undefined,
  {},
  ...[{ shape: -1 }, { dtype: 'x' }, { order: 'X' }, { fill: 'x' }, { persist: 1 }].map(wrong => ({
    shape: 2,
    ...wrong,
  })),
]

for (const [name, { good, bad }] of Object.entries(CLASSES)) {
  const Class = (crossmem as unknown as Record<string, Maker>)[name] as Maker
  test.serial(`${name}.openOrCreate refuses wrong arguments, also if the object exists`, t => {
    {
      using made = Class.create(null, ...good)
      for (const args of [...bad, [...good, { persist: 1 }]]) {
        const what = JSON.stringify(args)
        t.throws(() => Class.openOrCreate(made.name, ...args), { code: 'ERR_INVALID_ARG' }, what)
        t.throws(() => Class.openOrCreate(`no-${made.name}`, ...args), { code: 'ERR_INVALID_ARG' }, what)
      }
      Class.openOrCreate(made.name, ...good)[Symbol.dispose]()
    }
    t.deepEqual(list(), [], 'no handle is left open')
  })
}

test.serial('NDArray.openOrCreate refuses wrong options, also if the array exists', t => {
  {
    using made = crossmem.NDArray.create(null, { shape: 2 })
    const refused = { code: 'ERR_INVALID_ARG' }
    for (const options of OPTIONS as never[]) {
      t.throws(() => crossmem.NDArray.openOrCreate(made.name, options), refused, JSON.stringify(options))
    }
  }
  t.deepEqual(list(), [], 'no handle is left open')
})
