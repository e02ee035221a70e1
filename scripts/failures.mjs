// What failed, in few lines: of a long run only the end of the output may be kept.

/** How many lines of an error are shown at most, and how long they may be. */
const MOST_LINES = 8
const LONGEST = 160

/** Lines with which a failure begins, and its name in them. */
const BEGINNINGS = [
  // cargo test: «---- locks::mutex::tests::is_fair stdout ----»; a crash, or code that doesn't compile
  /^---- (.+) stdout ----$/,
  /^(error(?:\[E\d+\])?: .+)/,
  /^VIOLATION: (.+)/,
  // ava, of whole files: «✘ Timed out while running tests», «Uncaught exception in a.test.js»
  /^ {2}✘ (?!\[fail\])(.+)/,
  /^ {2}((?:Uncaught exception|Unhandled rejection) in .+)/,
]
/** Lines behind an error. */
const ENDS =
  /^(?:failures:|test result: |running \d+ test| {4,}(?:Running|Compiling|Finished) | {2}─|stack backtrace:)/
/** Lines of an error that say nothing: source code around it, and how to see more. */
const NOISE = /^\s*$|^\s*\d+: |^note: (?:run with|Some details)|^For more information/
/** Errors of cargo that only count those before. */
const COUNTS = /^error: (?:\d+ targets? failed|test failed, |could not compile)/

/** A failure: its name, and the first lines of its error. */
export function failuresIn(printed) {
  const lines = printed.split('\n')
  // ava lists «✘ [fail]: title message» at first, and all errors at its end, below their titles.
  const listed = new Set(lines.flatMap(line => /^ {2}✘ \[fail\]: (.+)/.exec(line)?.[1] ?? []))
  const found = []
  let current
  for (const line of lines) {
    const name = beginning(line, listed)
    if (name !== undefined) {
      current = { name, lines: [] }
      found.push(current)
    } else if (ENDS.test(line)) current = undefined
    else if (current && current.lines.length < MOST_LINES && !NOISE.test(line)) current.lines.push(line)
  }
  for (const name of listed) found.push({ name, lines: [] })
  return found.filter(({ name, lines: said }) => !COUNTS.test(name) || said.includes('Caused by:'))
}

function beginning(line, listed) {
  const title = /^ {2}(?=\S)(.+)/.exec(line)?.[1]
  for (const entry of title === undefined ? [] : listed) {
    if (entry !== title && !entry.startsWith(`${title} `)) continue
    listed.delete(entry)
    return title
  }
  return BEGINNINGS.map(pattern => pattern.exec(line)?.[1]).find(name => name !== undefined)
}

/** The last lines of an output, where nothing in it says what failed. */
export const lastLines = printed => printed.split('\n').filter(Boolean).slice(-MOST_LINES)

/** All names in at most `room` lines, with as many lines of each error as there is room for. */
export function summary(failures, room) {
  const names = failures.slice(0, failures.length > room ? room - 1 : room)
  const each = Math.floor((room - names.length) / Math.max(1, names.length))
  const told = names.flatMap(({ name, lines }) => [name, ...lines.slice(0, each).map(line => `    ${line}`)])
  const more = failures.length - names.length
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].map(line =>
    line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line,
  )
}
