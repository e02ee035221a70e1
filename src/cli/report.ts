/** The result of a command. `main` prints it, for people or for programs. */
export interface Report {
  /** The output of `--json`. Its shape is stable, and stated in the command's help. */
  data: object
  /** The output for people, without the last line break. If it is empty, nothing is printed. */
  text: string
  /** Failures of single names. They go to stderr, and the exit code is 1. */
  failures?: Failure[]
  /** Whether the exit code is 1 although nothing failed, since the result is bad news. */
  isBadNews?: boolean
}

/** An error as the command line shows it. */
export interface Failure {
  code: string
  message: string
}

/** Any thrown value as a failure. */
export function failureOf(error: unknown): Failure {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown }
  return { code: String(code ?? 'ERR_UNKNOWN'), message: String(message ?? error) }
}

/** What the command line says besides names. */
export interface Options {
  all: boolean
  head: boolean
  plot: boolean
  once: boolean
  json: boolean
  /** Seconds between two looks. */
  interval: number
  /** Cells of a line of the terminal that is written to; `undefined` if there is none. */
  columns: number | undefined
}

/** A command: a file of this folder with the command's name. */
export interface Command {
  /**
   * @param names the arguments: as many as the command's usage says, each once
   * @returns nothing if the command has printed all itself
   */
  run(names: readonly string[], options: Options): Report | undefined | Promise<Report | undefined>
}

/** The arguments are wrong: exit code 2. */
export class UsageError extends Error {
  readonly code = 'ERR_USAGE'
}
