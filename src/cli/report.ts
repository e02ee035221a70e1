/** What a command found out: `main` prints it, for people or for programs. */
export interface Report {
  /** What `--json` prints. Its shape is stated in the command's help, and stable. */
  data: object
  /** What people read, without the last line break. Nothing is printed when it is empty. */
  text: string
  /** What couldn't be done: printed on stderr, and the exit code is 1. */
  failures?: Failure[]
  /** Exit code 1 without a failure: the answer itself is the bad news. */
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

/** A file of this folder named like the command. */
export interface Command {
  /** @param names what the user named: as many as the command's usage says, each once */
  run(names: readonly string[]): Report | Promise<Report>
}

/** The user asked for something that there isn't: exit code 2. */
export class UsageError extends Error {
  readonly code = 'ERR_USAGE'
}
