// Beside its entries the database has hints: keys that lead to entries by the order of their use,
// and by the time at which they expire. A hint is written and removed in one transaction with its
// entry. Their first bytes are less than those of all entries.

const COUNT = 0x01
const ORDER = 0x02
const DUE = 0x03

/** The key of the number of entries. */
export const countKey: Buffer = Buffer.of(COUNT)

export const orderHints = { start: Buffer.of(ORDER), end: Buffer.of(ORDER + 1) }
export const dueHints = { start: Buffer.of(DUE), end: Buffer.of(DUE + 1) }

/** The hint to an entry that was used at `order`. The number makes it one of its kind. */
export const orderHint = (order: number, id: number): Buffer => hint(ORDER, order, id)
export const dueHint = (expires: number, id: number): Buffer => hint(DUE, expires, id)

/** The order or the time of a hint. */
export const placeOf = (hint: Buffer): number => hint.readDoubleBE(1)
export const idOfHint = (hint: Buffer): number => hint.readDoubleBE(9)

/** Numbers from 0 up sort by their bits. */
function hint(tag: number, place: number, id: number): Buffer {
  const key = Buffer.allocUnsafe(17)
  key[0] = tag
  key.writeDoubleBE(place, 1)
  key.writeDoubleBE(id, 9)
  return key
}
