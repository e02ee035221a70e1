import { buildExample } from '../harness/cargo.js'

/**
 * A function of an addon that does nothing, made as our hot calls are: what a call through Node-API costs at least.
 * It is an example of our addon's crate, so it is compiled with the same settings and shipped in no release.
 */
export function emptyCall(): () => void {
  const addon = { exports: {} as { emptyCall(): { nothing(): void } } }
  process.dlopen(addon, buildExample('crossmem-napi', 'empty_call'))
  return addon.exports.emptyCall().nothing
}
