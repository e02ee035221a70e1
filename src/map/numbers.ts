import { segmentOffsets } from '../native/index.js'
import type { Segment } from '../objects/index.js'

const AT = segmentOffsets.MAP_NUMBERS
const NUMBERS = 8
/** So many numbers are looked at for a cell that no entry in use has. */
const LOOKED_AT = 16

/** The bytes of these numbers, behind the fields of the segment. */
export const numbersBytes = (cells: number): number => (NUMBERS + cells) * 8

/**
 * The numbers of a map that all processes share. Only the holder of the map's lock changes the
 * first ones. What a process leaves behind that dies after each store:
 *
 * | number | what it is | after a death |
 * | --- | --- | --- |
 * | `changes` | how often something was committed | late: the next holder is told of the death, and counts |
 * | `reserved` | bytes of the file that have memory | too low: they are reserved again, which changes nothing |
 * | `end` | where the file ends at most | too high: it is asked for when no room seems left |
 * | `ids` | the number of the last entry | too high: a number is left out |
 * | `due` | when the first entry expires, or earlier | too early: nothing is found then |
 * | `size` | how many entries there are, for `crossmem ls` | it may count one too many or too few, until the next change |
 * | `clock` | counts uses, without a lock | it may count two uses as one |
 * | cells | the use of the entry of each number, modulo | an entry's last use is forgotten |
 */
export class Numbers {
  readonly #changes: Int32Array
  readonly #numbers: Float64Array
  readonly #cells: Float64Array

  constructor(segment: Segment, cells: number) {
    const { buffer } = segment
    this.#changes = new Int32Array(buffer, AT, 1)
    this.#numbers = new Float64Array(buffer, AT, NUMBERS)
    this.#cells = new Float64Array(buffer, AT + NUMBERS * 8, cells)
  }

  get changes(): number {
    return Atomics.load(this.#changes, 0)
  }
  countChange(): void {
    Atomics.add(this.#changes, 0, 1)
  }

  get reserved(): number {
    return this.#numbers[1] as number
  }
  set reserved(bytes: number) {
    this.#numbers[1] = bytes
  }

  get end(): number {
    return this.#numbers[2] as number
  }
  set end(bytes: number) {
    this.#numbers[2] = bytes
  }

  /** A number for an entry: of the next ones, the one whose cell was not used for longest. */
  nextId(): number {
    let id = (this.#numbers[3] as number) + 1
    if (this.#cells.length > 0) {
      for (let other = id + 1; other < id + LOOKED_AT; other++) {
        if (this.lastUse(other) < this.lastUse(id)) id = other
      }
    }
    this.#numbers[3] = id
    return id
  }

  get due(): number {
    return this.#numbers[4] as number
  }
  set due(time: number) {
    this.#numbers[4] = time
  }

  /** Notes that an entry was used now, if the map keeps the order of use. */
  use(id: number): void {
    const cells = this.#cells
    if (cells.length > 0) cells[id % cells.length] = this.tick()
  }

  /** When the entry was used, unless it is forgotten; or when one that shares its cell was. */
  lastUse(id: number): number {
    return this.#cells[id % this.#cells.length] as number
  }

  /** For onlookers, which don't open the database. */
  set size(entries: number) {
    this.#numbers[6] = entries
  }

  tick(): number {
    const time = (this.#numbers[5] as number) + 1
    this.#numbers[5] = time
    return time
  }
}
