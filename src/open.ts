import { NDArray, SharedArray, Value } from './arrays/index.js'
import { CrossmemError } from './errors.js'
import { Barrier, Condition, Event, Mutex, RLock, RwLock, Semaphore } from './locks/index.js'
import { SharedMap } from './map/index.js'
import { ShareableList, SharedMemory } from './memory/index.js'
import { type DType, dtypeAs, type StructDType } from './nd/index.js'
import { Segment } from './objects/index.js'
import { JoinableQueue, MpmcQueue, Pipe, Queue, RecordQueue, SpscQueue } from './queues/index.js'

/** What JSON, `process.send` and `postMessage` send instead of a handle. `open()` takes it. */
export interface Reference {
  /** The name of the class. */
  crossmem: string
  /** The object's name. */
  name: string
  /** Of an NDArray or a RecordQueue whose memory doesn't say what its bytes are. */
  dtype?: DType
}

/** The handle that a reference to each class becomes. */
interface Handles {
  SharedMemory: SharedMemory
  ShareableList: ShareableList
  NDArray: NDArray
  Mutex: Mutex
  RLock: RLock
  RwLock: RwLock
  Semaphore: Semaphore
  Condition: Condition
  Event: Event
  Barrier: Barrier
  Value: Value
  SharedArray: SharedArray
  SpscQueue: SpscQueue
  MpmcQueue: MpmcQueue
  Queue: Queue
  JoinableQueue: JoinableQueue
  Pipe: Pipe
  RecordQueue: RecordQueue
  SharedMap: SharedMap
  Pool: PoolHandle
  Managed: ManagedHandle
}

/** What a reference has beside the class and the name. */
interface Details {
  end?: unknown
  dtype?: unknown
  /** The instance of the agent that hands over the end of a pipe. */
  sender?: number
}

/** What a reference to an object of a manager becomes. Its class is in `crossmem/manager`. */
export interface ManagedHandle extends Disposable {
  /** Marks references to objects of managers. */
  readonly crossmem: 'Managed'
  /** Which object of which manager it is. */
  readonly name: string
  /** Lets go of the object. */
  close(): void
  /** The reference that `open()` takes. */
  toJSON(): { crossmem: 'Managed'; name: string }
}

/** The class that a reference to an object of a manager names. @internal */
export const MANAGED = 'Managed'

type Attach<Handle> = (segment: Segment, details: Details) => Handle

const classes: { [Kind in Exclude<keyof Handles, 'Managed'>]: Attach<Handles[Kind]> } = {
  SharedMemory: segment => SharedMemory.attach(segment),
  ShareableList: segment => ShareableList.attach(segment),
  NDArray: (segment, { dtype }) => NDArray.attach(segment, found => dtypeAs(found, dtype)) as NDArray,
  Mutex: segment => Mutex.attach(segment),
  RLock: segment => RLock.attach(segment),
  RwLock: segment => RwLock.attach(segment),
  Semaphore: segment => Semaphore.attach(segment),
  Condition: segment => Condition.attach(segment),
  Event: segment => Event.attach(segment),
  Barrier: segment => Barrier.attach(segment),
  Value: segment => Value.attach(segment) as Value,
  SharedArray: segment => SharedArray.attach(segment) as SharedArray,
  SpscQueue: segment => SpscQueue.attach(segment),
  MpmcQueue: segment => MpmcQueue.attach(segment),
  Queue: segment => Queue.attach(segment),
  JoinableQueue: segment => JoinableQueue.attach(segment),
  Pipe: (segment, { end, sender }) => Pipe.attach(segment, end, sender),
  RecordQueue: (segment, { dtype }) => RecordQueue.attach(segment, dtype),
  SharedMap: segment => SharedMap.attach(segment),
  Pool: (segment, details) => attachPool(segment, details),
}

/** A handle of any class of objects, as `open()` returns it. */
export type AnyHandle = Handles[Exclude<keyof Handles, 'Pool' | 'Managed'>]

/** What a reference to a pool becomes: gives tasks to the pool, as its own process does. */
export interface PoolHandle extends Disposable {
  readonly crossmem: 'Pool'
  readonly name: string
  apply(run: string, args?: readonly unknown[], options?: object): Promise<unknown>
  map(run: string, items: Iterable<unknown>, options?: object): Promise<unknown[]>
  starMap(run: string, items: Iterable<readonly unknown[]>, options?: object): Promise<unknown[]>
  imap(
    run: string,
    source: Iterable<unknown> | AsyncIterable<unknown>,
    options?: object,
  ): AsyncGenerator<unknown, void, void>
  close(): void
  toJSON(): object
}

let attachPool: Attach<PoolHandle> = segment => {
  segment.close()
  throw unsupported('Pool')
}

/** Pools lie above this file. @internal */
export function definePool(attach: Attach<PoolHandle>): void {
  attachPool = attach
}

let openManaged = (name: string): ManagedHandle => {
  throw new CrossmemError('ERR_UNSUPPORTED', `import crossmem/manager to open ${name}`)
}

/**
 * Managers lie above this file, and are loaded when the first reference to them comes. @internal
 */
export function defineManaged(open: (name: string) => ManagedHandle): void {
  openManaged = open
}

/**
 * Opens the array that a reference stands for.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: it is no reference. ERR_UNSUPPORTED: this version has
 *   no such class. Else as the class's own `open`
 */
export function open<D extends DType = DType>(reference: {
  crossmem: 'NDArray'
  name: string
  dtype?: D
}): NDArray<D>
/**
 * Opens the queue of records that a reference stands for.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: it is no reference. ERR_UNSUPPORTED: this version has
 *   no such class. Else as the class's own `open`
 */
export function open<D extends StructDType = StructDType>(reference: {
  crossmem: 'RecordQueue'
  name: string
  dtype?: D
}): RecordQueue<D>
/**
 * Opens the object that a reference stands for, as the class that the reference names.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: it is no reference. ERR_UNSUPPORTED: this version has
 *   no such class. Else as the class's own `open`
 */
export function open<K extends keyof Handles>(reference: { crossmem: K; name: string }): Handles[K]
/**
 * Opens the object that a reference or a name stands for, and returns a handle of its class. Memory
 * that another program made becomes a SharedMemory unless the reference names another class.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: it is no reference. ERR_UNSUPPORTED: this version has
 *   no such class. ERR_WRONG_DOMAIN: another domain made the object. Else as the class's own `open`
 */
export function open(reference: Reference | string): AnyHandle
export function open(reference: Reference | string): AnyHandle {
  return openKnown(typeof reference === 'string' ? { name: reference } : checkReference(reference))
}

/**
 * As `open`, for an object that another process hands over.
 *
 * @param sender the instance of the agent that has the end of a pipe
 * @internal
 */
export const openFrom = (reference: Reference, sender: number | undefined): AnyHandle =>
  openKnown({ ...checkReference(reference), sender })

/** Whether a decoded value is what a handle becomes on its way, and nothing else. @internal */
export function isReference(value: object): value is Reference {
  const { crossmem, name } = value as Record<string, unknown>
  return (
    typeof crossmem === 'string' &&
    typeof name === 'string' &&
    isNamed(crossmem) &&
    Object.keys(value).every(key => ['crossmem', 'name', 'end', 'dtype'].includes(key))
  )
}

function openKnown(known: { crossmem?: string; name: string } & Details): AnyHandle {
  if (known.crossmem === MANAGED) return openManaged(known.name) as never
  const segment = Segment.open(known.name, known.crossmem)
  if (isKnown(segment.kind)) return classes[segment.kind](segment, known) as AnyHandle
  segment.close()
  throw unsupported(segment.kind)
}

const isKnown = (kind: string): kind is keyof typeof classes => Object.hasOwn(classes, kind)

/** Whether a reference may name the class. */
const isNamed = (kind: string): boolean => kind === MANAGED || isKnown(kind)

function checkReference(reference: unknown): { crossmem: string; name: string } & Details {
  const { crossmem, name, end, dtype } = Object(reference) as Record<string, unknown>
  if (typeof crossmem !== 'string' || typeof name !== 'string') {
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      'open() takes a name, or a reference: what a handle becomes as JSON',
    )
  }
  if (!isNamed(crossmem)) throw unsupported(crossmem)
  return { crossmem, name, end, dtype }
}

const unsupported = (kind: string): CrossmemError =>
  new CrossmemError('ERR_UNSUPPORTED', `this version of crossmem has no class ${kind}; update it`)
