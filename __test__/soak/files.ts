import { readdirSync } from 'node:fs'
import { list } from 'crossmem'

const DIRECTORY = '/dev/shm'

/**
 * The files of a soak in shared memory: those that bear its word, and those that its domain was
 * seen to have.
 */
export class Files {
  readonly #word: string
  #known = new Set<string>()
  most = 0

  constructor(word: string) {
    this.#word = word
  }

  /** The files that are there now. */
  present(): string[] {
    for (const { name } of list()) this.#known.add(name)
    const found = this.left()
    this.#known = new Set(found)
    this.most = Math.max(this.most, found.length)
    return found
  }

  /**
   * What is there now of that which was seen before. @param word another one that files of the soak
   * bear
   */
  left(word = this.#word): string[] {
    if (process.platform !== 'linux') return []
    const isOurs = (file: string) => file.includes(this.#word) || file.includes(word) || this.#known.has(file)
    return readdirSync(DIRECTORY).filter(isOurs)
  }
}
