import { buildExample } from '../harness/cargo.js'

/**
 * A function of an addon that does nothing, registered as crossmem's fastest calls are: the least
 * that a call through Node-API costs. The function is in an example of the addon's crate, so it is
 * compiled with the same settings and is in no release.
 */
export function emptyCall(): () => void {
  const addon = { exports: {} as { emptyCall(): { nothing(): void } } }
  process.dlopen(addon, buildExample('crossmem-napi', 'empty_call'))
  return addon.exports.emptyCall().nothing
}
