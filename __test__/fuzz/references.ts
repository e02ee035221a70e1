import { rmSync, writeFileSync } from 'node:fs'
import * as crossmem from 'crossmem'
import { unique } from '../helpers/domain.js'
import { refusedOr } from './oracle.js'

const { open } = crossmem
const classes = [...Object.keys(crossmem), 'constructor', '__proto__', 'toString', 'LockManager', '']

/** One of each sort, and bytes that another program wrote. */
const handles = [
  crossmem.SharedMemory.create(null, 100),
  crossmem.ShareableList.create(null, [1, 'two']),
  crossmem.NDArray.create(null, { shape: [2, 3] }),
  crossmem.Mutex.create(null),
  crossmem.Value.create(null, 'int32', 0),
  crossmem.Queue.create(null, { capacity: 2 }),
]
const foreign = unique('foreign')

/**
 * Opens a reference, and closes what comes of it. The first byte says whether the input is JSON, or
 * the class, the object and the contents of foreign memory.
 */
export function references(input: Uint8Array): void {
  const [how = 0, which = 0, whose = 0] = input
  if (how % 2 === 0) {
    const reference = parse(Buffer.from(input.subarray(1)).toString())
    if (reference !== undefined) openAndClose(reference)
    return
  }
  const contents = input.subarray(3)
  writeFileSync(`/dev/shm/${foreign}`, contents)
  const name = handles[whose % (handles.length + 1)]?.name ?? foreign
  openAndClose({ crossmem: classes[which % classes.length], name, end: contents[0] })
  openAndClose(name)
}

function openAndClose(reference: unknown): void {
  refusedOr(() => open(reference as crossmem.Reference).close())
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

process.once('exit', () => rmSync(`/dev/shm/${foreign}`, { force: true }))
