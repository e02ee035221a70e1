// Part of `npm run build:ts`: makes the declarations that are shipped of what `tsc` has left in
// build/types: a file for each entry of the package, with what it exports and the types that these
// names need. The types themselves are in dist/declarations.d.ts, so that a class has one type.
import { copyFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import { entries } from './entries.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const emitted = join(root, 'build', 'types')

const isEntry = file => entries.some(entry => file === join(emitted, `${entry}.d.ts`))
const bundle = await rollup({
  input: Object.fromEntries(entries.map(entry => [entry, join(emitted, `${entry}.d.ts`)])),
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
  chunkFileNames: '[name].d.ts',
  minifyInternalExports: false,
  manualChunks: id => (isEntry(id) ? undefined : 'declarations'),
})
for (const entry of entries)
  copyFileSync(join(emitted, `${entry}.d.mts`), join(root, 'dist', `${entry}.d.mts`))
