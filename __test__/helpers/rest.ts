const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Blocks this thread, so that others get the processor. */
export const rest = (milliseconds = 0.01): void => void Atomics.wait(sleeper, 0, 0, milliseconds)
