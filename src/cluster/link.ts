/** What a command is made of. */
export type Argument = string | Buffer

/**
 * One connection to the server, which is never mended: once it is lost, it is lost. Answers have
 * Buffers for strings.
 */
export interface Link {
  /**
   * @throws what the client throws: an answer of the server, or that the connection is lost
   */
  send(words: readonly Argument[]): Promise<unknown>
  /** Hears a channel from now on. The link sends nothing else afterwards. */
  subscribe(channel: string, hear: (message: Buffer) => void): Promise<void>
  /** Calls `act` once the connection is lost, or closed. */
  onEnd(act: () => void): void
  /** Closes the connection at once. */
  close(): void
}

/** Opens a connection of the same settings as the user's client. */
export type Dial = () => Promise<Link>
