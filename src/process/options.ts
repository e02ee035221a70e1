import type { StdioOptions } from 'node:child_process'
import { CrossmemError } from '../errors.js'
import { domainGroup, domainName } from '../native/index.js'
import { checkBoolean, checkOptions, isURL, type OptionNames, show } from '../util/index.js'
import { currentProcess } from './current.js'

/** How a process is started. */
export interface ProcessOptions {
  /** Its name, for people. Default: `Process-1`, `Process-2` …; in a child `Process-1:1` … */
  name?: string
  /**
   * Whether it ends when this process, or the worker thread that started it, is gone; and whether
   * this process may end while it lives. Default: false; true in a daemon, whose children are
   * daemons.
   */
  daemon?: boolean
  /**
   * Its environment variables. It is always in the domain of its parent. Default: those of this
   * process.
   */
  env?: NodeJS.ProcessEnv
  /** Options of its runtime, such as `['--import', 'tsx']`. Default: those of this process. */
  execArgv?: readonly string[]
  /**
   * Its standard streams, as `child_process.spawn` has them. Default: 'inherit', those of this
   * process.
   */
  stdio?: StdioOptions
  /** Its working directory. Default: that of this process. */
  cwd?: string | URL
  /**
   * Whether typed arrays, Buffers, DataViews and ArrayBuffers of 64 KiB and more travel in shared
   * memory, in its arguments and its result. With `false`, their bytes are copied to the process,
   * and back, as those of smaller ones are. Default: true.
   */
  share?: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: any function matches.
export type AnyFunction = (...args: any) => unknown

/** The names of the functions that a module exports. */
export type FunctionNames<Module> = {
  [Name in keyof Module & string]: Module[Name] extends AnyFunction ? Name : never
}[keyof Module & string]

type Run<Name> = Name extends 'default' ? { run?: Name } : { run: Name }
type Args<Function> = Function extends (...args: infer A) => unknown
  ? [] extends A
    ? { args?: Readonly<A> }
    : { args: Readonly<A> }
  : never

/** Options for a module whose type is known: which export to call, and with what. */
export type StartOptions<Module, Name extends keyof Module & string> = Name extends unknown
  ? ProcessOptions & Run<Name> & Args<Module[Name]>
  : never

/** What functions of a module return, once awaited. */
export type ResultOf<Module, Name extends keyof Module> = Module[Name] extends (
  ...args: never[]
) => infer Returned
  ? Awaited<Returned>
  : never

/** Options for a module whose type isn't known. */
export interface AnyStartOptions extends ProcessOptions {
  /** The export to call. Default: 'default'; if it is no function, the module only runs. */
  run?: string
  /** Its arguments: what a Queue carries, and handles, which arrive open. Default: none. */
  args?: readonly unknown[]
}

const START_OPTIONS: OptionNames<AnyStartOptions> = {
  run: true,
  args: true,
  name: true,
  daemon: true,
  env: true,
  execArgv: true,
  stdio: true,
  cwd: true,
  share: true,
}

/** Options, checked, with their defaults. */
export interface Checked {
  module: string
  run: string | undefined
  args: readonly unknown[]
  name: string
  daemon: boolean
  env: NodeJS.ProcessEnv
  execArgv: readonly string[]
  stdio: StdioOptions
  cwd: string | URL | undefined
  share: boolean
}

let started = 0

/** @throws {CrossmemError} ERR_INVALID_ARG */
export function checkStart(target: unknown, options: AnyStartOptions | undefined): Checked {
  const checked = checkOptions(options, START_OPTIONS)
  const { run, args = [], execArgv, stdio = 'inherit', env = process.env, cwd } = checked
  const module = checkModule(target)
  if (typeof run === 'function') throw refused(noClosures('run'))
  if (run !== undefined && typeof run !== 'string')
    throw refused(`run is the name of an export, not ${show(run)}`)
  if (!Array.isArray(args)) throw refused(`args is an array, not ${show(args)}`)
  if (execArgv !== undefined && !Array.isArray(execArgv)) {
    throw refused(`execArgv is an array, not ${show(execArgv)}`)
  }
  return {
    module,
    run,
    args,
    name: checkName(checked.name),
    daemon: checkDaemon(checked.daemon),
    env: inDomain(env),
    execArgv: execArgv ?? ownExecArgv(),
    stdio,
    cwd,
    share: checkBoolean('share', checked.share ?? true),
  }
}

/** @throws {CrossmemError} ERR_INVALID_ARG */
export function checkModule(target: unknown): string {
  if (isURL(target)) return target.href
  if (typeof target === 'string' && target !== '') return target
  if (typeof target === 'function') throw refused(noClosures('the first argument'))
  throw refused(`the first argument is a module: a URL, a path or the name of a package, not ${show(target)}`)
}

export const noClosures = (what: string): string =>
  `${what} is a function: functions don't travel to another process, since they use variables of this one; export it from a module, and pass that module and the name of the export`

function checkName(name: unknown): string {
  const { name: parent } = currentProcess()
  if (name === undefined) return parent === 'main' ? `Process-${++started}` : `${parent}:${++started}`
  if (typeof name === 'string') return name
  throw refused(`name is a string, not ${show(name)}`)
}

function checkDaemon(daemon: unknown): boolean {
  const { isDaemon } = currentProcess()
  if (!checkBoolean('daemon', daemon ?? isDaemon) && isDaemon) {
    throw refused('this process is a daemon, so its children are, too: leave `daemon` out')
  }
  return (daemon as boolean | undefined) ?? isDaemon
}

/** The environment with the domain of this process, in which the handles are. */
function inDomain(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { CROSSMEM_DIR } = process.env
  const domain = { CROSSMEM_DOMAIN: domainName(), CROSSMEM_GROUP: domainGroup(), CROSSMEM_DIR }
  for (const [key, ours = ''] of Object.entries(domain)) {
    const theirs = env[key]
    if (theirs && theirs !== ours) {
      throw refused(`env has ${key}=${theirs}, but a child is in the domain of its parent; leave it out`)
    }
  }
  return { ...env, ...domain }
}

/** Options of this runtime, without the program that may be among them. */
function ownExecArgv(): string[] {
  const withoutProgram: string[] = []
  const options = [...process.execArgv]
  for (let option = options.shift(); option !== undefined; option = options.shift()) {
    if (/^(-e|-p|-pe|--eval|--print)$/.test(option)) options.shift()
    else if (!/^--(eval|print|input-type|test|watch)(=|$)/.test(option)) withoutProgram.push(option)
  }
  return withoutProgram
}

const refused = (message: string): CrossmemError => new CrossmemError('ERR_INVALID_ARG', message)
