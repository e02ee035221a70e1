import { type Call, type Cell, integer, type Methods, Stored } from './stored.js'

/**
 * What goes through an object of the manager, for one client: some at a time, as far as the client
 * has come. What is added meanwhile comes too, as with an iterator of a Map.
 */
export class Cursor extends Stored {
  readonly kind = 'Cursor'
  readonly methods = methods
  readonly source: Iterator<Cell[]> | AsyncIterator<Cell[]>

  constructor(source: Iterator<Cell[]> | AsyncIterator<Cell[]>) {
    super()
    this.source = source
  }

  override *children(): Iterable<Stored> {}
}

/** The next items, at most so many; none: that was the last one. */
async function next({ source }: Cursor, call: Call, most: unknown): Promise<unknown> {
  const items: unknown[] = []
  const wanted = integer(most, 1, 10_000)
  let bytes = 0
  while (items.length < wanted && bytes < call.client.limits.maxMessageBytes / 4) {
    const { done, value } = await source.next()
    if (done) break
    items.push(call.values(value))
    for (const cell of value) bytes += cell.bytes.length
  }
  return items
}

const methods: Methods<Cursor> = {
  next,
  end: async ({ source }) => void (await source.return?.()),
}
