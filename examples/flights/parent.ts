/** Ctrl-C reaches the children too. Only the parent reacts, and ends them by closing channels. */
export function leaveSignalsToParent(): void {
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
}

/** Sends to the parent. If the parent is gone, the message is lost, and the channel closes next. */
export function tellParent(message: object | string): void {
  process.send?.(message, undefined, undefined, () => {})
}
