// Part of `npm run build:ts`: makes dist/index.d.ts, the one file of declarations that is shipped,
// of what `tsc` has left in build/types. It holds what src/index.ts exports and the types that
// these names need.
import { copyFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const emitted = join(root, 'build', 'types')

const bundle = await rollup({
  input: join(emitted, 'index.d.ts'),
  external: /^node:/,
  // The addon's declarations are imported as seen from dist; `build/types` stands beside it as
  // `dist` does.
  plugins: [dts({ compilerOptions: { rootDirs: [join(root, 'build'), root] } })],
  onLog(level, { message }) {
    if (level === 'warn') throw new Error(message)
  },
})
await bundle.write({ file: join(root, 'dist', 'index.d.ts') })
copyFileSync(join(emitted, 'index.d.mts'), join(root, 'dist', 'index.d.mts'))
