/** Progress on stderr: on a terminal one line that changes, elsewhere a line for every quarter. */
export class Progress {
  readonly #what: string
  #quarter = -1

  constructor(what: string) {
    this.#what = what
  }

  /** @param share from 0 to 1 */
  show(share: number): void {
    const line = `${this.#what} ${Math.floor(share * 100)} %`
    if (process.stderr.isTTY) {
      clear()
      process.stderr.write(share < 1 ? line : '')
    } else if (Math.floor(share * 4) > this.#quarter) {
      this.#quarter = Math.floor(share * 4)
      process.stderr.write(`${line}\n`)
    }
  }
}

/** Prints a line that stays. */
export function say(line: string): void {
  if (process.stderr.isTTY) clear()
  console.log(line)
}

const clear = () => process.stderr.write('\r\x1b[K')
