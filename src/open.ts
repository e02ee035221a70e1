import { NDArray, SharedArray, Value } from './arrays/index.js'
import { CrossmemError } from './errors.js'
import { Barrier, Condition, Event, Mutex, RLock, RwLock, Semaphore } from './locks/index.js'
import { SharedMemory } from './memory/index.js'
import type { DType } from './nd/index.js'
import { Segment } from './objects/index.js'
import { JoinableQueue, MpmcQueue, Pipe, Queue, SpscQueue } from './queues/index.js'

/** What JSON, `process.send` and `postMessage` send instead of a handle. `open()` takes it. */
export interface Reference {
  /** The name of the class. */
  crossmem: string
  /** The object's name. */
  name: string
}

const classes = {
  SharedMemory: (segment: Segment) => SharedMemory.attach(segment),
  NDArray: (segment: Segment) => NDArray.attach(segment) as NDArray,
  Mutex: (segment: Segment) => Mutex.attach(segment),
  RLock: (segment: Segment) => RLock.attach(segment),
  RwLock: (segment: Segment) => RwLock.attach(segment),
  Semaphore: (segment: Segment) => Semaphore.attach(segment),
  Condition: (segment: Segment) => Condition.attach(segment),
  Event: (segment: Segment) => Event.attach(segment),
  Barrier: (segment: Segment) => Barrier.attach(segment),
  Value: (segment: Segment) => Value.attach(segment) as Value,
  SharedArray: (segment: Segment) => SharedArray.attach(segment) as SharedArray,
  SpscQueue: (segment: Segment) => SpscQueue.attach(segment),
  MpmcQueue: (segment: Segment) => MpmcQueue.attach(segment),
  Queue: (segment: Segment) => Queue.attach(segment),
  JoinableQueue: (segment: Segment) => JoinableQueue.attach(segment),
  Pipe: (segment: Segment, { end }: { end?: unknown }) => Pipe.attach(segment, end),
}

type Classes = typeof classes

/** A handle of any class, as `open()` returns it. */
export type AnyHandle = ReturnType<Classes[keyof Classes]>

/**
 * Opens the object that a reference or a name stands for, and returns a handle of its class. Memory
 * that another program made becomes a SharedMemory unless the reference names another class.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: it is no reference. ERR_UNSUPPORTED: this version has no
 *   such class. Else as the class's own `open`
 */
export function open<D extends DType = DType>(reference: { crossmem: 'NDArray'; name: string }): NDArray<D>
export function open<K extends keyof Classes>(reference: {
  crossmem: K
  name: string
}): ReturnType<Classes[K]>
export function open(reference: Reference | string): AnyHandle
export function open(reference: Reference | string): AnyHandle {
  const known: { crossmem?: string; name: string; end?: unknown } =
    typeof reference === 'string' ? { name: reference } : checkReference(reference)
  const segment = Segment.open(known.name, known.crossmem)
  if (isKnown(segment.kind)) return classes[segment.kind](segment, known)
  segment.close()
  throw unsupported(segment.kind)
}

const isKnown = (kind: string): kind is keyof Classes => Object.hasOwn(classes, kind)

function checkReference(reference: unknown): { crossmem?: string; name: string; end?: unknown } {
  const { crossmem, name, end } = Object(reference) as Record<string, unknown>
  if (typeof crossmem !== 'string' || typeof name !== 'string') {
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      'open() takes a name, or a reference: what a handle becomes as JSON',
    )
  }
  if (!isKnown(crossmem)) throw unsupported(crossmem)
  return { crossmem, name, end }
}

const unsupported = (kind: string): CrossmemError =>
  new CrossmemError('ERR_UNSUPPORTED', `this version of crossmem has no class ${kind}; update it`)
