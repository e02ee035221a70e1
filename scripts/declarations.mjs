// Part of `npm run build:ts`: makes the declarations that are shipped of what `tsc` has left in
// build/types: dist/index.d.ts and dist/map/index.d.ts, which hold what the entries of the package
// export, and the types that these names need. What both need is in dist/declarations.d.ts, so that
// a class has one type.
import { copyFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const emitted = join(root, 'build', 'types')

const bundle = await rollup({
  input: { index: join(emitted, 'index.d.ts'), 'map/index': join(emitted, 'map', 'index.d.ts') },
  external: /^node:/,
  // The addon's declarations are imported as seen from dist; `build/types` stands beside it as
  // `dist` does.
  plugins: [dts({ compilerOptions: { rootDirs: [join(root, 'build'), root] } })],
  onLog(level, { message }) {
    // Bases of classes are no names for users, in whichever file they are.
    if (level === 'warn' && !message.includes('private shared type exports')) throw new Error(message)
  },
})
await bundle.write({
  dir: join(root, 'dist'),
  entryFileNames: '[name].d.ts',
  chunkFileNames: 'declarations.d.ts',
})
for (const entry of ['index.d.mts', 'map/index.d.mts']) {
  copyFileSync(join(emitted, entry), join(root, 'dist', entry))
}
