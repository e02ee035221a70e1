/** How a worker ended. */
export interface Ending {
  exitCode: number | null
  signal: string | null
  /** Whether memory was the reason. */
  outOfMemory: boolean
  /** What it wrote last on its standard error. */
  lastErrors: string
  /** Why the system started none. */
  cause?: unknown
}

/** Where a worker runs. */
export interface Host {
  /** Its process; `undefined` if the system started none. */
  readonly pid: number | undefined
  /** Resolves when nothing of it runs any more. */
  readonly ended: Promise<Ending>
  /** Ends it, wherever it is. */
  kill(): void
}

/** Starts a host that calls `serve` of `worker-main.ts` with these arguments. */
export type StartHost = (name: string, args: readonly unknown[]) => Host
