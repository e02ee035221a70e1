import type { SingleBar } from 'cli-progress'

/** What shows how far a `map` or an `imap` is. */
export interface Bar {
  update(done: number, total: number): void
  stop(): void
}

/** A bar on standard error if that is a terminal, else nothing. The package is loaded only then. */
export function progressBar(title: string, stream: NodeJS.WriteStream = process.stderr): Bar | undefined {
  if (!stream.isTTY) return undefined
  const { SingleBar, Presets } = require('cli-progress') as typeof import('cli-progress')
  const format = `${title} {bar} {percentage}% | {value}/{total} | {eta_formatted}`
  // The package would hold back SIGINT and SIGTERM to restore the cursor.
  const options = { stream, format, hideCursor: false, gracefulExit: false }
  return new DrawnBar(new SingleBar(options, Presets.shades_classic))
}

class DrawnBar implements Bar {
  readonly #bar: SingleBar
  #isStarted = false

  constructor(bar: SingleBar) {
    this.#bar = bar
  }

  update(done: number, total: number): void {
    if (this.#isStarted) {
      this.#bar.setTotal(total)
      this.#bar.update(done)
    } else {
      this.#isStarted = true
      this.#bar.start(total, done)
    }
  }

  stop(): void {
    this.#bar.stop()
  }
}
