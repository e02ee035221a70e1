#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { visible } from './format.js'
import { type Command, type Failure, failureOf, type Options, type Report, UsageError } from './report.js'
import { type CommandName, help, usages } from './usage.js'

// Each command is loaded when it is called, so that --help and --version work where the addon
// doesn't.
const commands: Record<CommandName, () => Promise<Command>> = {
  ls: () => import('./ls.js'),
  inspect: () => import('./inspect.js'),
  managers: () => import('./managers.js'),
  rm: () => import('./rm.js'),
  gc: () => import('./gc.js'),
  doctor: () => import('./doctor.js'),
  top: () => import('./top.js'),
}

async function main(args: string[]): Promise<void> {
  let isJson = args.includes('--json')
  try {
    // Before all that an older Node doesn't know.
    await import('../node-version.js')
    const { values, positionals } = parse(args)
    isJson = values.json
    const [command, ...names] = positionals
    if (command !== undefined) checkCommand(command)
    if (values.help) return print(help(command, columns()))
    if (values.version) return print(version())
    if (command === undefined) throw new UsageError('a command is missing')
    checkNames(command, names)
    if (values.domain === '') throw new UsageError('--domain needs a name')
    if (values.domain !== undefined) process.env.CROSSMEM_DOMAIN = values.domain
    if (values.group === '') throw new UsageError('--group needs a name or a number')
    if (values.group !== undefined) process.env.CROSSMEM_GROUP = values.group
    const options = optionsOf(command, values)
    const { run } = await commands[command]()
    const report = await run([...new Set(names)], options)
    if (report) show(report, isJson)
  } catch (error) {
    complain(failureOf(error), isJson)
    process.exitCode = error instanceof UsageError ? 2 : 1
  }
}

function parse(args: string[]) {
  const options = {
    json: { type: 'boolean', default: false },
    domain: { type: 'string' },
    group: { type: 'string' },
    all: { type: 'boolean', default: false },
    head: { type: 'boolean', default: false },
    plot: { type: 'boolean', default: false },
    once: { type: 'boolean', default: false },
    interval: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
  } as const
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw new UsageError(failureOf(error).message, { cause: error })
  }
}

/** The options of a command. One that belongs to other commands is refused. */
function optionsOf(command: CommandName, values: ReturnType<typeof parse>['values']): Options {
  const { all, head, plot, once, interval, json } = values
  for (const [name, given] of Object.entries({ all, head, plot, once, interval })) {
    const takes: readonly string[] = usages[command].options
    if (given && !takes.includes(name)) throw new UsageError(`${command} takes no --${name}`)
  }
  if (all && values.domain !== undefined) throw new UsageError('--all is for all domains: leave --domain out')
  const seconds = Number(interval ?? 1)
  if (!(seconds >= 0.01 && seconds <= 3600)) {
    throw new UsageError(`--interval is a number of seconds from 0.01 to 3600, not "${interval}"`)
  }
  return { all, head, plot, once, json, interval: seconds, columns: columns() }
}

const columns = (): number | undefined => (process.stdout.isTTY ? process.stdout.columns : undefined)

function checkCommand(command: string): asserts command is CommandName {
  if (!Object.hasOwn(usages, command)) throw new UsageError(`there is no command "${command}"`)
}

function checkNames(command: CommandName, names: readonly string[]): void {
  const wanted = usages[command].names
  if (wanted === 'none' && names.length > 0) throw new UsageError(`${command} takes no names`)
  if (wanted !== 'none' && names.length === 0) throw new UsageError(`${command} needs a NAME`)
  if (wanted === 'one' && names.length > 1) throw new UsageError(`${command} takes one NAME`)
}

function show({ data, text, failures = [], isBadNews = false }: Report, isJson: boolean): void {
  if (isJson) print(JSON.stringify(data, undefined, 2))
  else if (text !== '') print(text)
  for (const failure of failures) complain(failure, isJson)
  // Not process.exit(): that would skip leaving the domain.
  process.exitCode = isBadNews || failures.length > 0 ? 1 : 0
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function complain({ code, message }: Failure, isJson: boolean): void {
  const hint = code === 'ERR_USAGE' ? '\nSee: crossmem --help' : ''
  process.stderr.write(
    isJson
      ? `${JSON.stringify({ error: { code, message } })}\n`
      : `crossmem: ${visible(message)} (${code})${hint}\n`,
  )
}

function version(): string {
  const manifest = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

// In `crossmem ls | head -1` the reader may stop at any time.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

void main(process.argv.slice(2))
