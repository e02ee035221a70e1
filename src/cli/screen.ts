/** The terminal as it is now. */
export interface Screen {
  columns: number
  rows: number
  /** How many lines the reader has scrolled down. */
  offset: number
}

const SECOND_SCREEN = '\x1b[?1049h\x1b[?25l'
const FIRST_SCREEN = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const REST_OF_LINE = '\x1b[K'
const REST_OF_SCREEN = '\x1b[J'
const [UP, DOWN, CTRL_C] = ['\x1b[A', '\x1b[B', '\x03']

/**
 * Shows lines on the terminal's second screen, and draws them anew every `interval` seconds and
 * with each key, until `q`, Ctrl-C or a signal. Then the terminal is as before.
 */
export async function show(draw: (screen: Screen) => string[], interval: number): Promise<void> {
  const { stdin, stdout } = process
  let offset = 0
  const redraw = () => {
    const { columns, rows } = stdout
    const lines = draw({ columns, rows, offset }).slice(0, rows)
    stdout.write(`${HOME}${lines.map(line => line + REST_OF_LINE).join('\n')}${REST_OF_SCREEN}`)
  }
  stdin.setRawMode(true)
  stdout.write(SECOND_SCREEN)
  let timer: NodeJS.Timeout | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      const guarded = () => {
        try {
          redraw()
        } catch (error) {
          reject(error)
        }
      }
      const onKey = (key: Buffer) => {
        const pressed = key.toString()
        if (pressed === 'q' || pressed === CTRL_C) return resolve()
        if (pressed === UP) offset = Math.max(0, offset - 1)
        if (pressed === DOWN) offset++
        guarded()
      }
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
      stdin.on('data', onKey)
      stdin.once('end', resolve)
      stdout.on('resize', guarded)
      timer = setInterval(guarded, interval * 1000)
      guarded()
    })
  } finally {
    clearInterval(timer)
    stdout.removeAllListeners('resize')
    stdout.write(FIRST_SCREEN)
    stdin.setRawMode(false)
    stdin.removeAllListeners('data')
    stdin.pause()
  }
}
