// One listener per signal, however many waits it ends: Node warns about more than ten.
const listeners = new WeakMap<AbortSignal, Set<(reason: unknown) => void>>()

/** Calls `act` with the reason once the signal is aborted. */
export function onAbort(signal: AbortSignal, act: (reason: unknown) => void): void {
  let acts = listeners.get(signal)
  if (!acts) {
    acts = new Set()
    listeners.set(signal, acts)
    const heard = acts
    signal.addEventListener(
      'abort',
      () => {
        for (const act of heard) act(signal.reason)
      },
      { once: true },
    )
  }
  acts.add(act)
}

export function offAbort(signal: AbortSignal, act: (reason: unknown) => void): void {
  listeners.get(signal)?.delete(act)
}

/** As the signal's method of that name, which older implementations don't have. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason
}
