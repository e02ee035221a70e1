import type { Read } from './connection.js'
import {
  type Anchor,
  defineProxy,
  fromWire,
  listFromWire,
  Managed,
  nothing,
  plain,
  proxyOf,
} from './managed.js'
import type { WireObject } from './protocol.js'

/** So many items come at once: few at first, for those who want one. */
const FIRST = 16
const MOST = 1024

/** What goes through an object at the manager. */
export class CursorProxy extends Managed {
  next(most: number): Promise<unknown[][]> {
    return this.askAndWait(
      'next',
      () => [most],
      (items, arrivals) => (items as unknown[]).map(item => listFromWire(item, arrivals)),
    )
  }

  async end(): Promise<void> {
    await this.askAndWait('end', () => [], nothing)
    this.close()
  }
}

defineProxy('Cursor', CursorProxy as new (anchor: Anchor) => Managed)

export const readCursor: Read<CursorProxy> = (result, arrivals) =>
  proxyOf(result as WireObject, arrivals) as CursorProxy

/** The items behind a cursor, which is made when the first one is asked for. */
export async function* itemsOf<Item>(
  begin: () => Promise<CursorProxy>,
  pick: (cells: unknown[]) => Item,
): AsyncGenerator<Item, void, void> {
  const cursor = await begin()
  try {
    for (let most = FIRST; ; most = Math.min(2 * most, MOST)) {
      const items = await cursor.next(most)
      if (items.length === 0) return
      for (const cells of items) yield pick(cells)
    }
  } finally {
    cursor.close()
  }
}

/** A change of an entry that is watched. */
export interface Change<Key = unknown, Value = unknown> {
  /** The key of the entry. */
  key: Key
  /** The new value; `undefined` if the entry was deleted. */
  value: Value | undefined
  /** Whether the entry was deleted. */
  deleted: boolean
  /** How many changes were lost before this one, since they weren't fetched in time. */
  missed: number
}

export class WatchProxy extends Managed {
  next(signal: AbortSignal | undefined): Promise<Change[]> {
    return this.askAndWait(
      'next',
      () => [],
      (result, arrivals) => {
        const [missed, changes] = plain<[number, [Uint8Array, unknown][]]>(result)
        return changes.map(([key, value], i) => ({
          key: fromWire(key, arrivals),
          value: fromWire(value, arrivals),
          deleted: value === undefined,
          missed: i === 0 ? missed : 0,
        }))
      },
      { signal },
    )
  }
}

defineProxy('Watch', WatchProxy as new (anchor: Anchor) => Managed)

/** Changes as they come, until the caller stops. */
export async function* changesOf(
  watch: WatchProxy,
  signal: AbortSignal | undefined,
): AsyncGenerator<Change, void, void> {
  try {
    for (;;) yield* await watch.next(signal)
  } finally {
    watch.close()
  }
}
