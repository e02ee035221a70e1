import { join } from 'node:path'
import { root } from '../helpers/paths.js'

/** How processes send each other values: from the built package, whose objects these are. */
export const { pack, unpack } = require(join(root, 'dist', 'modules.js')).load('process/handles.js') as {
  pack(
    value: unknown,
    options?: { share?: boolean },
  ): { bytes: Uint8Array; references: { crossmem: string; name: string }[]; release(): void }
  unpack(bytes: Uint8Array): { value: unknown }
}
