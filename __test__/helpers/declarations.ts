import { join } from 'node:path'
import ts from 'typescript'
import { root } from './paths.js'

const shippedFile = join(root, 'dist', 'index.d.ts')
const sourceFile = join(root, 'src', 'index.ts')

const program = ts.createProgram([shippedFile, sourceFile], {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  strict: true,
  types: ['node'],
})

export const checker = program.getTypeChecker()

/** What the declarations in the package export. */
export const shipped = (): ts.Symbol[] => exportsOf(shippedFile)

/** What `src/index.ts` exports. */
export const intended = (): ts.Symbol[] => exportsOf(sourceFile)

function exportsOf(path: string): ts.Symbol[] {
  const file = program.getSourceFile(path)
  const module = file && checker.getSymbolAtLocation(file)
  if (!module) throw new Error(`${path} is not a module`)
  return checker.getExportsOfModule(module)
}
