import { existsSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as vm from 'node:vm'
import { CrossmemError } from '../errors.js'
import type { Target } from './messages.js'

type Exports = Record<string, unknown>
export type Run = (...args: unknown[]) => unknown

/**
 * Loads a module and returns the function to call; `undefined` if the module only runs.
 *
 * @throws {CrossmemError} ERR_NOT_FOUND: there is no such module. ERR_INVALID_ARG: it has no such
 *   export, or that is no function. Or what the module throws
 */
export async function load({ module, caller, run }: Target): Promise<Run | undefined> {
  return functionOf(await importFrom(module, caller), module, run)
}

/**
 * Loads a module and returns what finds its exports by name.
 *
 * @throws {CrossmemError} ERR_NOT_FOUND: there is no such module. Or what the module throws. The
 *   function: ERR_INVALID_ARG: there is no such export, or that is no function
 */
export async function loadAll({ module, caller }: Omit<Target, 'run'>): Promise<(run: string) => Run> {
  const exports = await importFrom(module, caller)
  const found = new Map<string, Run>()
  return run => {
    const function_ = found.get(run) ?? (functionOf(exports, module, run) as Run)
    found.set(run, function_)
    return function_
  }
}

/**
 * Loads a module and returns its functions and classes, with their names.
 *
 * @throws {CrossmemError} ERR_NOT_FOUND: there is no such module. Or what the module throws
 */
export async function loadFunctions({ module, caller }: Omit<Target, 'run'>): Promise<[name: string, Run][]> {
  const exports = await importFrom(module, caller)
  return functionsOf(exports)
    .filter(name => name !== 'default' && name !== 'module.exports')
    .map(name => [name, exportOf(exports, name) as Run])
}

/** An export that is a function; `undefined` if none is named and the default export is none. */
function functionOf(exports: Exports, module: string, run: string | undefined): Run | undefined {
  const found = exportOf(exports, run ?? 'default')
  if (typeof found === 'function') return found as Run
  if (run === undefined) return undefined
  const names = functionsOf(exports)
  const list = names.length > 0 ? `it exports: ${names.join(', ')}` : 'it exports no function'
  throw new CrossmemError('ERR_INVALID_ARG', `${module} exports no function "${run}"; ${list}`)
}

async function importFrom(module: string, caller: string): Promise<Exports> {
  const url = locate(module, caller)
  if (url?.protocol === 'file:' && !existsSync(url)) throw notFound(module, fileURLToPath(url))
  return (await (url ? import(url.href) : importPackage(module, caller))) as Exports
}

/** The URL of a module; `undefined` for the name of a package. */
function locate(module: string, caller: string): URL | undefined {
  if (isAbsolute(module)) return pathToFileURL(module)
  if (/^\.\.?([\\/]|$)/.test(module)) return new URL(module.replaceAll('\\', '/'), caller)
  return isBuiltin(module) || !URL.canParse(module) ? undefined : new URL(module)
}

/** Imports a package that is installed for the caller's file. */
async function importPackage(name: string, caller: string): Promise<unknown> {
  const found = resolve(name, caller)
  if (found !== undefined) return import(isAbsolute(found) ? pathToFileURL(found).href : found)
  // It is for `import` only. Runtimes without this loader refuse it.
  const importModuleDynamically = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER
  const script = new vm.Script('name => import(name)', { filename: caller, importModuleDynamically })
  return (script.runInThisContext() as (name: string) => Promise<unknown>)(name)
}

/** The file of a package; `undefined` if `require` may not load it. */
function resolve(name: string, caller: string): string | undefined {
  try {
    return createRequire(caller).resolve(name)
  } catch (cause) {
    const { code } = Object(cause) as { code?: unknown }
    if (code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return undefined
    throw code === 'MODULE_NOT_FOUND' ? notFound(name, caller, cause) : cause
  }
}

function notFound(module: string, where: string, cause?: unknown): CrossmemError {
  const seen = cause === undefined ? `there is no ${where}` : `it is not installed as seen from ${where}`
  return new CrossmemError('ERR_NOT_FOUND', `there is no module ${module}: ${seen}`, { cause })
}

/**
 * An export. A CommonJS module has all of its exports in one object, not all of whose names the
 * runtime may know.
 */
function exportOf(exports: Exports, name: string): unknown {
  const inner = commonJsOf(exports)
  if (name === 'default' && inner?.__esModule) return inner.default
  if (Object.hasOwn(exports, name)) return exports[name]
  return inner && Object.hasOwn(inner, name) ? inner[name] : undefined
}

function commonJsOf(exports: Exports): Exports | undefined {
  const inner = exports.default
  return inner !== null && (typeof inner === 'object' || typeof inner === 'function')
    ? (inner as Exports)
    : undefined
}

function functionsOf(exports: Exports): string[] {
  const names = new Set([...Object.keys(exports), ...Object.keys(commonJsOf(exports) ?? {})])
  return [...names].filter(name => typeof exportOf(exports, name) === 'function')
}
