/** The name of a line, beside the end of the line. */
export interface Label {
  /** Index of the line. */
  i: number
  /** Heights of the line's end and of the name. */
  end: number
  at: number
}

interface Group {
  middle: number
  ends: number[]
}

/**
 * Labels for lines that end at the given heights, each as near to its end as the others leave room.
 * Labels are at least `apart` from each other, and lie between `top` and `bottom`.
 */
export function labelsOf(ends: number[], apart: number, top: number, bottom: number): Label[] {
  const sorted = ends.map((end, i) => ({ end, i })).sort((a, b) => a.end - b.end)
  const heights = spread(
    sorted.map(({ end }) => end),
    apart,
    top,
    bottom,
  )
  return sorted.map(({ end, i }, n) => ({ i, end, at: heights[n] as number }))
}

/** Neighbours that are too close become a group around their mean, until none are too close. */
function spread(sorted: number[], apart: number, top: number, bottom: number): number[] {
  const groups: Group[] = sorted.map(end => ({ middle: end, ends: [end] }))
  for (let i = 0; i + 1 < groups.length; ) {
    const [a, b] = groups.slice(i, i + 2) as [Group, Group]
    const ends = [...a.ends, ...b.ends]
    const half = (ends.length * apart) / 2
    if (b.middle - a.middle >= half) {
      i++
      continue
    }
    const mean = ends.reduce((sum, end) => sum + end, 0) / ends.length
    groups.splice(i, 2, { middle: Math.max(top + half, Math.min(bottom - half, mean)), ends })
    i = Math.max(0, i - 1)
  }
  return groups.flatMap(({ middle, ends }) =>
    ends.map((_, n) => middle + (n - (ends.length - 1) / 2) * apart),
  )
}
