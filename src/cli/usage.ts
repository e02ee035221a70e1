import { wrap } from './format.js'

/** The commands, and the texts of their help. */
export const usages = {
  ls: {
    names: 'none',
    options: ['all'],
    synopsis: 'ls [--all]',
    summary: 'list the objects of the domain: their state, who waits at them, who has them open',
    details: `Joins nothing, opens nothing, takes no lock. 12/w3 is worker thread 3 of process 12. A doomed object is one that no living process has open. +3 behind a process: and three more, for which the terminal is too narrow.

  --all           list the domains of the user and of the user's groups instead

--json: { domain, group, objects }, with --all { domains }`,
  },
  inspect: {
    names: 'one',
    options: ['head', 'plot'],
    synopsis: 'inspect NAME',
    summary: "show all about one object, a manager, or another program's shared memory",
    details: `Shows who holds it and who waits for what; of a pool, by its name, what its workers do. An array, a queue of records, memory that isn't in the registry and that of a pool's workers is opened to read it. Opening joins the domain, which sweeps it, but never removes the object that is shown.

  --head          also show the first 20 values of an array, a Value or bytes
  --plot          also show the values as a line, or as a histogram if there is more than one axis

Values are read without a lock: they may be of different instants.

--json: { domain, group, ...object, foreign, array, records, workers, values }; of a manager { domain, manager }`,
  },
  top: {
    names: 'none',
    options: ['once', 'interval'],
    synopsis: 'top',
    summary: 'show who waits for what, how full queues are and how fast messages go, live',
    details: `Redraws until q or Ctrl-C; the arrow keys scroll. Objects at which processes wait come first. 12s behind a process: each look of the last 12 seconds found it there. Where stdin or stdout is no terminal, it prints one table.

  --once              look twice, print one table and exit
  --interval SECONDS  the time between two looks (default: 1)

--json: { domain, group, seconds, objects }, as with --once`,
  },
  managers: {
    names: 'none',
    options: [],
    synopsis: 'managers',
    summary: 'list the managers of the domain: their processes, clients, objects and calls',
    details: `Asks each manager, as a client of it. \`crossmem inspect NAME\` shows the objects of one.

--json: { domain, managers }`,
  },
  rm: {
    names: 'many',
    options: [],
    synopsis: 'rm NAME...',
    summary: "remove objects by name, or other programs' shared memory",
    details: `A process that has an object open keeps its bytes until it closes it. If one object can't be removed, the others still are.

--json: { domain, group, removed, failed }`,
  },
  gc: {
    names: 'none',
    options: ['all'],
    synopsis: 'gc [--all]',
    summary: 'sweep what killed processes left',
    details: `  --all           sweep all domains of the user and of the user's groups

--json: { domain, group, agents, objects, bytes, names }, with --all { domains }`,
  },
  doctor: {
    names: 'none',
    options: [],
    synopsis: 'doctor',
    summary: 'check the domain without changing it; the last line is "clean", or says what to do',
    details: `Does not join the domain and sweeps nothing. Exit code 1 if there is something to do. A note is no reason for that: dead processes whose objects the next process sweeps, processes that wait for each other.

--json: { domain, group, control, taken, registryHeldBy, totalBytes, freeBytes, memory, hugePages, agents, objects, sweepable, problems, notes, clean }`,
  },
} as const

export type CommandName = keyof typeof usages

const options = `Options:
  --domain NAME   the domain to show or clean (default: $CROSSMEM_DOMAIN, or "default")
  --group GROUP   the group whose members share the domain (default: $CROSSMEM_GROUP, or none: the user's own domain)
  --json          print JSON, for programs
  -h, --help      print this, or with a command its own help
  --version       print the version

Exit codes:
  0  fine
  1  the object isn't there, doctor found something to do, or the command failed
  2  wrong usage

Errors go to stderr: crossmem: message (CODE)
With --json, one line each: {"error":{"code":"CODE","message":"message"}}

All fields of --json: docs/command-line.md`

/** What `--help` prints, in lines of at most `room` cells. */
export function help(command?: CommandName, room?: number): string {
  return (command ? helpOf(command) : overview())
    .split('\n')
    .map(line => wrap(line, room, secondColumn(line)))
    .join('\n')
}

/** Where the second column of a line begins, if it has one. */
const secondColumn = (line: string): number => /^ {2}\S.*? {2,}(?=\S)/.exec(line)?.[0].length ?? 0

function helpOf(command: CommandName): string {
  const { synopsis, summary, details } = usages[command]
  return `Usage: crossmem ${synopsis} [options]\n\n${summary[0]?.toUpperCase()}${summary.slice(1)}.\n\n${details}\n\n${options}`
}

function overview(): string {
  const commands = Object.values(usages).map(
    ({ synopsis, summary }) => `  ${synopsis.padEnd(14)}  ${summary}`,
  )
  return `Usage: crossmem COMMAND [options]\n\nShows and tidies the shared memory of crossmem.\n\nCommands:\n${commands.join('\n')}\n\n${options}`
}
