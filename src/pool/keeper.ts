/** Keeps this process alive as long as there are reasons. */
export class Keeper {
  /** The longest time that a timer takes. */
  readonly #timer = setInterval(() => undefined, 2 ** 31 - 1).unref()
  #reasons = 0

  /** Counts the reasons. */
  keep(change: 1 | -1): void {
    this.#reasons += change
    if (this.#reasons > 0) this.#timer.ref()
    else this.#timer.unref()
  }
}
