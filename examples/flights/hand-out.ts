import type { ChildProcess } from 'node:child_process'
import { EventEmitter, on } from 'node:events'
import { tell } from './children.js'
import type { Order, Report } from './worker.js'

/** Is told of each step. `halfway` must let the child go on (`goOn`), or kill it. */
export interface Onlooker {
  started(child: ChildProcess, part: number): void
  halfway(child: ChildProcess, part: number): void
  done(child: ChildProcess, part: number): void
  /** The child died with this part in hand. */
  lost(child: ChildProcess, part: number): void
}

export const goOn = (child: ChildProcess): void => tell(child, { goOn: true } satisfies Order)

/**
 * Has the children do all parts, one part per child at a time. If a child dies, the next free child
 * gets its part. Rejects when no child is left, and with an AbortError when `signal` aborts.
 */
export async function handOut(
  children: ChildProcess[],
  parts: number,
  onlooker: Onlooker,
  signal: AbortSignal,
): Promise<void> {
  const waiting = Array.from({ length: parts }, (_, part) => part)
  const idle = new Set(children)
  const inHand = new Map<ChildProcess, number>()
  let done = 0

  const dispatch = () => {
    for (const child of idle) {
      const part = waiting.shift()
      if (part === undefined) return
      idle.delete(child)
      inHand.set(child, part)
      onlooker.started(child, part)
      tell(child, { part } satisfies Order)
    }
  }

  const onReport = (child: ChildProcess, report: Report) => {
    // A dead child's last report can arrive after its exit, when another child has its part.
    if (inHand.get(child) !== report.part) return
    if (report.halfway) return onlooker.halfway(child, report.part)
    inHand.delete(child)
    idle.add(child)
    done++
    onlooker.done(child, report.part)
  }

  const onExit = (child: ChildProcess) => {
    const part = inHand.get(child)
    inHand.delete(child)
    idle.delete(child)
    if (part === undefined) return
    waiting.unshift(part)
    onlooker.lost(child, part)
  }

  const news = new EventEmitter()
  for (const child of children) {
    child.on('message', report => news.emit('news', child, report))
    child.once('exit', () => news.emit('news', child))
  }
  const heard = on(news, 'news', { signal })
  dispatch()
  for await (const [child, report] of heard as AsyncIterable<[ChildProcess, Report | undefined]>) {
    if (report) onReport(child, report)
    else onExit(child)
    if (done === parts) return
    if (idle.size + inHand.size === 0) throw new Error('all children have died')
    dispatch()
  }
}
