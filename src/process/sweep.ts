import { nativeDomain } from '../native/index.js'

/** Sweeps an agent whose descriptor was closed. */
export function sweep(): void {
  try {
    nativeDomain.collectGarbage()
  } catch {
    // A stopped process is inside the registry: the next sweep does it.
  }
}
