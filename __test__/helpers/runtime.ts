import { join } from 'node:path'
import { root } from './paths.js'

/** Installs a runtime from npm, such as `node@26`, and returns the path of its program. */
export async function installRuntime(spec: string, binary: string): Promise<string> {
  const { install } = (await import(join(root, 'scripts', 'install-runtime.mjs'))) as {
    install(spec: string, binary: string): string
  }
  return install(spec, binary)
}
