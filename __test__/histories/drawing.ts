import type { Operation } from './queue-model.js'

// A history as text: a line per process, time goes to the right, and an x stands where a process
// was killed inside a call.
//
//   A [push 1]     [pop 2]
//   B     [push 2]         [pop x

const CALL = /\[(push|full|pop|empty) *(-?\d+)? *([\]x])/g

export function read(drawing: string): Operation[] {
  const lines = drawing.split('\n').map(line => line.trim())
  return lines.flatMap(line =>
    [...line.matchAll(CALL)].map(({ 0: call, 1: what, 2: message, 3: end, index }) => ({
      process: line.charAt(0),
      what: what as Operation['what'],
      message: message === undefined ? undefined : Number(message),
      invoked: index,
      returned: end === 'x' ? Infinity : index + call.length - 1,
    })),
  )
}

export function draw(history: readonly Operation[]): string {
  const lines = new Map(history.map(({ process }) => [process, process]))
  let now = 0
  for (const { process, text } of history.flatMap(edges).sort((a, b) => a.at - b.at)) {
    const line = lines.get(process) as string
    now = Math.max(now + 1, line.length)
    lines.set(process, line.padEnd(now) + text)
  }
  return [...lines.values()].join('\n')
}

function edges({ process, what, message, invoked, returned }: Operation) {
  const call = message === undefined ? ` [${what}` : ` [${what} ${message}`
  if (returned === Infinity) return [{ process, at: invoked, text: `${call} x` }]
  return [
    { process, at: invoked, text: call },
    { process, at: returned, text: ']' },
  ]
}
