import { join } from 'node:path'
import ts from 'typescript'
import { root } from './paths.js'

/** The entries of the package. */
const entries = ['index', 'manager', 'map', 'redis'] as const
const shippedFiles = entries.map(entry => join(root, 'dist', `${entry}.d.ts`))
const sourceFiles = entries.map(entry => join(root, 'src', `${entry}.ts`))
/** With the file of what the entries have in common. */
const declaredIn = new Set([...shippedFiles, join(root, 'dist', 'declarations.d.ts')])

const program = ts.createProgram([...shippedFiles, ...sourceFiles], {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  strict: true,
  types: ['node'],
})
const checker = program.getTypeChecker()

/** Something that users can name, and what an editor shows of it. */
export interface Documented {
  /** As in `Mutex` or `Mutex.create`. */
  name: string
  isClass: boolean
  /** One for each overload. */
  texts: string[]
  /** The text behind each `@example`. */
  examples: string[]
  /** The text behind each `@throws`. */
  throws: string[]
  /** The names of the types of its parameters. */
  parameters: string[]
  /** Whether one of its parameters is an object of options. */
  takesOptions: boolean
}

/** What the declarations in the package export. */
export const shippedNames = (): string[] => shippedFiles.flatMap(namesOf)

/** What the entries in `src/` export. */
export const intendedNames = (): string[] => sourceFiles.flatMap(namesOf)

/**
 * What the declarations in the package export, with all public members; inherited ones once, as
 * their class's own.
 *
 * @param of the entries of the package; default: all
 */
export function publicApi(...of: (typeof entries)[number][]): Documented[] {
  const files = shippedFiles.filter((_, i) => of.length === 0 || of.includes(entries[i] ?? 'index'))
  const found = files
    .flatMap(exportsOf)
    .flatMap(symbol => [
      documented(symbol.name, symbol),
      ...membersOf(symbol).map(member => documented(nameOf(member), member)),
    ])
  return [...new Map(found.map(entry => [entry.name, entry])).values()]
}

function exportsOf(path: string): ts.Symbol[] {
  return checker.getExportsOfModule(moduleOf(path)).map(symbol => {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  })
}

/** As the entry calls them: two entries may have a type of one name. */
function namesOf(path: string): string[] {
  return checker.getExportsOfModule(moduleOf(path)).map(({ name }) => name)
}

function moduleOf(path: string): ts.Symbol {
  const file = program.getSourceFile(path)
  const module = file && checker.getSymbolAtLocation(file)
  if (!module) throw new Error(`${path} is not a module`)
  return module
}

function documented(name: string, symbol: ts.Symbol): Documented {
  const isCalled = symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Method)
  const overloads = isCalled ? checker.getTypeOfSymbol(symbol).getCallSignatures() : []
  return {
    name,
    isClass: isClass(symbol),
    texts: (overloads.length > 0 ? overloads : [symbol]).map(shown =>
      ts.displayPartsToString(shown.getDocumentationComment(checker)),
    ),
    examples: tagsOf(symbol, 'example'),
    throws: tagsOf(symbol, 'throws'),
    parameters: overloads.flatMap(({ parameters }) => parameters.map(typeName)),
    takesOptions: overloads.some(({ parameters }) => parameters.some(isOptions)),
  }
}

const tagsOf = (symbol: ts.Symbol, name: string): string[] =>
  symbol
    .getJsDocTags(checker)
    .filter(tag => tag.name === name)
    .map(tag => ts.displayPartsToString(tag.text))

/** Without `undefined`, which an optional parameter has. */
const typeName = (parameter: ts.Symbol): string =>
  checker.typeToString(checker.getNonNullableType(checker.getTypeOfSymbol(parameter)))

/** Options are called so, or are an object of which any property may be left out. */
function isOptions(parameter: ts.Symbol): boolean {
  const type = checker.getNonNullableType(checker.getTypeOfSymbol(parameter))
  const properties = type.flags & ts.TypeFlags.Object ? type.getProperties() : []
  const mayBeLeftOut = ({ flags }: ts.Symbol) => (flags & ts.SymbolFlags.Optional) !== 0
  return parameter.name === 'options' || (properties.length > 0 && properties.every(mayBeLeftOut))
}

function membersOf(symbol: ts.Symbol): ts.Symbol[] {
  const statics = isClass(symbol) ? checker.getTypeOfSymbol(symbol).getProperties() : []
  const isObject = symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)
  const members = isObject ? checker.getDeclaredTypeOfSymbol(symbol).getProperties() : []
  return [...statics, ...members].filter(isPublic)
}

const isClass = (symbol: ts.Symbol): boolean => (symbol.flags & ts.SymbolFlags.Class) !== 0

/** Whether it is declared in the package, for users. */
function isPublic({ declarations = [] }: ts.Symbol): boolean {
  return declarations.some(
    declaration =>
      declaredIn.has(declaration.getSourceFile().fileName) &&
      (ts.isClassElement(declaration) || ts.isTypeElement(declaration)) &&
      !(declaration.name && ts.isPrivateIdentifier(declaration.name)) &&
      !(ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)),
  )
}

/** With the class or interface that declares it, as in `Handle.close`. */
function nameOf(member: ts.Symbol): string {
  const owner = member.declarations?.[0]?.parent as ts.ClassDeclaration | ts.InterfaceDeclaration
  return `${owner.name?.text}.${checker.symbolToString(member)}`
}
