/** How many later tasks of priority 0 a task of priority 1 goes before at most. */
const LEAD = 1000

/** Something that waits, with its place. */
export interface Waiting {
  /** Smaller goes first. */
  readonly place: number
}

/**
 * The place of a task: a higher priority goes first, but not before those that came a thousand
 * tasks earlier for each step, so that none waits for ever.
 */
export const placeOf = (arrival: number, priority: number): number => arrival - priority * LEAD

/** What waits, in the order of places: a binary heap. */
export class WaitingLine<Item extends Waiting> {
  readonly #items: Item[] = []

  get length(): number {
    return this.#items.length
  }

  get first(): Item | undefined {
    return this.#items[0]
  }

  add(item: Item): void {
    this.#rise(item, this.#items.length)
  }

  takeFirst(): Item | undefined {
    const { first } = this
    if (first) this.remove(first)
    return first
  }

  /** Takes one out, wherever it is. Returns whether it was there. */
  remove(item: Item): boolean {
    const at = this.#items.indexOf(item)
    if (at < 0) return false
    const last = this.#items.pop() as Item
    if (last === item) return true
    if (at > 0 && last.place < this.#placeAt((at - 1) >> 1)) this.#rise(last, at)
    else this.#sink(last, at)
    return true
  }

  #rise(item: Item, from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#placeAt(parent) <= item.place) break
      this.#items[at] = this.#items[parent] as Item
      at = parent
    }
    this.#items[at] = item
  }

  #sink(item: Item, from: number): void {
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#items.length) break
      if (child + 1 < this.#items.length && this.#placeAt(child + 1) < this.#placeAt(child)) child++
      if (this.#placeAt(child) >= item.place) break
      this.#items[at] = this.#items[child] as Item
      at = child
    }
    this.#items[at] = item
  }

  #placeAt(at: number): number {
    return (this.#items[at] as Item).place
  }
}
