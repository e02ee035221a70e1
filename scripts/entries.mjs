import { readFileSync } from 'node:fs'

/** The entries of the package, as package.json names them: index, and those behind a slash. */
const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
export const entries = Object.keys(exports)
  .filter(name => !name.endsWith('.json'))
  .map(name => (name === '.' ? 'index' : name.slice('./'.length)))
