/** Nanoseconds of CPU time, user and system, that all threads of this process have used so far. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}
