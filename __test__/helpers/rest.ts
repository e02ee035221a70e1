const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Leaves the processor to others. */
export const rest = (): void => void Atomics.wait(sleeper, 0, 0, 0.01)
