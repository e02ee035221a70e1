import { type Role, roles, streams, title } from '../storm/streams.js'
import { type Kind as LockKind, kinds as lockKinds } from '../storm/words.js'

/** What a life in a soak does over and over, beside all the other lanes. */
export interface Lane {
  /** Its place in `lanes`. */
  number: number
  /** The row of the summary that it counts in. */
  kind: string
  title: string
  /** Of a queue: its number in `streams`, and what is done there. */
  stream?: number
  role?: Role
  /** There is no way to do it but to await. */
  isAsync: boolean
}

export { type LockKind, lockKinds }

const plain = (kind: string, isAsync = false): Omit<Lane, 'number'> => ({ kind, title: kind, isAsync })

/** Everything that crossmem has, at once. */
export const lanes: readonly Lane[] = [
  ...lockKinds.map(kind => plain(kind)),
  plain('LockManager', true),
  plain('FileLock'),
  plain('SharedMemory'),
  plain('NDArray'),
  plain('Value'),
  plain('SharedArray'),
  { kind: 'Pipe', title: 'Pipe, speaking', isAsync: true },
  { kind: 'Pipe', title: 'Pipe, hearing', isAsync: true },
  ...streams.flatMap((stream, number) =>
    roles.map(role => ({
      kind: title(stream),
      title: `${title(stream)}, ${role}`,
      stream: number,
      role,
      isAsync: false,
    })),
  ),
].map((lane, number) => ({ ...lane, number }))

export const laneOf = (title: string): Lane => lanes.find(lane => lane.title === title) as Lane

/**
 * Whether this one has a role at a queue that only has place for one, and that another one is to
 * keep.
 */
export function isTaken({ stream, role }: Lane, survivor: number | undefined, isSync: boolean): boolean {
  const { kind, survivors } = streams[stream ?? -1] ?? {}
  if (kind !== 'SpscQueue' || !role) return false
  if (isSync && survivor !== undefined) return true
  return survivors?.includes(role) ? survivor !== roles.indexOf(role) : survivor !== undefined
}
