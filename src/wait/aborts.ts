// One listener per signal, however many waits it ends: Node warns about more than ten. A signal
// that nothing waits with has none: Node keeps what `AbortSignal.any` made as long as it is
// listened to.

interface Listener {
  readonly acts: Set<(reason: unknown) => void>
  hear(): void
}

const listeners = new WeakMap<AbortSignal, Listener>()

/** Calls `act` with the reason once the signal is aborted. */
export function onAbort(signal: AbortSignal, act: (reason: unknown) => void): void {
  let listener = listeners.get(signal)
  if (!listener) {
    const acts = new Set<(reason: unknown) => void>()
    listener = {
      acts,
      hear: () => {
        for (const act of acts) act(signal.reason)
      },
    }
    listeners.set(signal, listener)
    signal.addEventListener('abort', listener.hear, { once: true })
  }
  listener.acts.add(act)
}

export function offAbort(signal: AbortSignal, act: (reason: unknown) => void): void {
  const listener = listeners.get(signal)
  if (!listener?.acts.delete(act) || listener.acts.size > 0) return
  listeners.delete(signal)
  signal.removeEventListener('abort', listener.hear)
}

/** As the signal's method of that name, which older implementations don't have. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason
}
