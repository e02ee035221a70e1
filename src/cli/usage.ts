/** The commands, and the texts of their help. */
export const usages = {
  ls: {
    names: 'none',
    synopsis: 'ls',
    summary: 'list the objects of the domain',
    details: `Does not join the domain and sweeps nothing. ATTACHED: the processes that have the object open; 12/w3 is worker
thread 3 of process 12. A doomed object is one that no living process has open.

--json: { domain, group, objects: [OBJECT] }, sorted by name, where
  OBJECT is { name, kind, byteLength, persist, attached: [AGENT], doomed, present }
  group is null if the domain is the user's own, or { id, name }
  AGENT is { pid, thread, alive }, thread 0 is the main thread
  present: false means that another program removed the name`,
  },
  inspect: {
    names: 'one',
    synopsis: 'inspect NAME',
    summary: "show all about one object, or about another program's shared memory",
    details: `An array, and memory that isn't in the registry, is opened to read its header. Opening joins the domain, which sweeps
it, but never removes the object that is shown.

--json: { domain, group, ...OBJECT, foreign, array, holders, waiters, problem }, with OBJECT as in \`crossmem ls --help\`, and
  foreign: true: it is shared memory that this domain did not make
  array: null, or { dtype, shape, order, strides, trailer }, strides in elements
  holders: null, or [{ pid, thread, alive, count }]: the agents that hold or update it, or wait at it if it is a barrier
  waiters: null, or the agents that wait at it, in the same form
  problem: null, or { code, message } when the array is broken (exit code 1)`,
  },
  rm: {
    names: 'many',
    synopsis: 'rm NAME...',
    summary: "remove objects by name, or other programs' shared memory",
    details: `A process that has an object open keeps its bytes until it closes it. If one object can't be removed, the others
still are.

--json: { domain, group, removed: [name], failed: [{ name, code, message }] }`,
  },
  gc: {
    names: 'none',
    synopsis: 'gc',
    summary: 'sweep what killed processes left',
    details: `--json: { domain, group, agents, objects, bytes, names }
  agents: how many dead agents were forgotten
  objects, bytes: how much was freed
  names: the objects that were doomed before`,
  },
  doctor: {
    names: 'none',
    synopsis: 'doctor',
    summary: 'check the domain without changing it; the last line is "clean", or says what to do',
    details: `Does not join the domain and sweeps nothing. Exit code 1 if there is something to do.

--json: { domain, group, control, registryHeldBy, totalBytes, freeBytes, agents: [AGENT], objects: [OBJECT], sweepable,
          problems, clean }, with AGENT and OBJECT as in \`crossmem ls --help\`, and
  control: null if no process uses the domain, or { name, byteLength }
  registryHeldBy: null, or the pid that holds the registry's lock at this instant
  totalBytes, freeBytes: of the system's shared memory
  sweepable: { agents, objects, bytes }, what \`crossmem gc\` would free
  problems: [{ code, message }], code one of LEFTOVERS, NAME_REMOVED, REGISTRY_STUCK, MEMORY_FULL`,
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
With --json, one line each: {"error":{"code":"CODE","message":"message"}}`

/** What `--help` prints. */
export function help(command?: CommandName): string {
  if (command) {
    const { synopsis, summary, details } = usages[command]
    return `Usage: crossmem ${synopsis} [options]\n\n${summary[0]?.toUpperCase()}${summary.slice(1)}.\n\n${details}\n\n${options}`
  }
  const commands = Object.values(usages).map(
    ({ synopsis, summary }) => `  ${synopsis.padEnd(14)}  ${summary}`,
  )
  return `Usage: crossmem COMMAND [options]\n\nShows and tidies the shared memory of crossmem.\n\nCommands:\n${commands.join('\n')}\n\n${options}`
}
