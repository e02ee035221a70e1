import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from '../helpers/paths.js'

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2022,
  types: [],
}

/**
 * Checks outputs of the command line against the types of docs/command-line.md: as literals, so
 * that a field which the page doesn't have is an error, too. Returns the errors.
 */
export function schema(outputs: readonly { type: string; value: unknown }[]): string[] {
  const page = readFileSync(join(root, 'docs', 'command-line.md'), 'utf8')
  const types = /^```ts\n(.*?)^```$/ms.exec(page)?.[1] ?? ''
  const constants = outputs.map(
    ({ type, value }, i) => `export const output${i}: ${type} = ${JSON.stringify(value)}`,
  )
  const file = join(root, 'outputs.ts')
  const host = ts.createCompilerHost(OPTIONS)
  const { getSourceFile, readFile, fileExists } = host
  const source = `${types}\n${constants.join('\n')}\n`
  host.getSourceFile = (name, version, ...rest) =>
    name === file
      ? ts.createSourceFile(name, source, version)
      : getSourceFile.call(host, name, version, ...rest)
  host.readFile = name => (name === file ? source : readFile.call(host, name))
  host.fileExists = name => name === file || fileExists.call(host, name)
  const program = ts.createProgram([file], OPTIONS, host)
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}
