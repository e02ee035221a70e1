import { clearTimeout, now, setTimeout } from './clock.js'

/** Something that ends at a time, in milliseconds of `now()`. */
export interface Expiring {
  readonly deadline: number
  expire(): void
}

// One timer serves all: it is set to the earliest deadline.
const expiring = new Set<Expiring>()
let timer: NodeJS.Timeout | undefined
let firesAt = Number.POSITIVE_INFINITY

export function expireLater(wait: Expiring): void {
  if (wait.deadline === Number.POSITIVE_INFINITY) return
  expiring.add(wait)
  if (wait.deadline < firesAt) arm(wait.deadline)
}

export function expireNever(wait: Expiring): void {
  if (!expiring.delete(wait) || expiring.size > 0) return
  clearTimeout(timer)
  firesAt = Number.POSITIVE_INFINITY
}

function arm(deadline: number): void {
  clearTimeout(timer)
  firesAt = deadline
  // The deadline may have passed while others expired, and Node warns of a negative time. If it is
  // longer than timers take, the timer fires early and is armed again.
  const left = Math.max(0, Math.ceil(deadline - now()))
  timer = setTimeout(fire, left)
  // The pending wait keeps the process alive, not its deadline.
  timer.unref()
}

function fire(): void {
  const time = now()
  const due = [...expiring].filter(wait => wait.deadline <= time)
  for (const wait of due) {
    expiring.delete(wait)
    wait.expire()
  }
  let next = Number.POSITIVE_INFINITY
  for (const { deadline } of expiring) next = Math.min(next, deadline)
  firesAt = Number.POSITIVE_INFINITY
  if (expiring.size > 0) arm(next)
}
