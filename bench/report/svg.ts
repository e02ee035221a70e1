// Parts of all plots. A plot is SVG with a background of its own, so that it is readable on any
// page. The background is dark if the reader prefers that.

export const WIDTH = 860

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .group { font-weight: 600 }
  .tick, .value { font-size: 11px; fill: #59636e }
  .page { fill: #ffffff; stroke: #d1d9e0 }
  .grid { stroke: #d1d9e0 }`

const DARK = `
    text { fill: #f0f6fc }
    .tick, .value { fill: #9198a1 }
    .page { fill: #0d1117; stroke: #3d444d }
    .grid { stroke: #3d444d }`

/** A page of that height. `style` is the CSS of its contents; `dark` is added on dark pages. */
export function page(title: string, height: number, style: string, dark: string, contents: string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escapeText(title)}</title><style>${STYLE}${style}`,
    `  @media (prefers-color-scheme: dark) {${DARK}${dark}`,
    '  }</style>',
    `<rect class="page" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>`,
    ...contents,
    '</svg>',
    '',
  ].join('\n')
}

export const text = (
  kind: string,
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
): string =>
  `<text class="${kind}" x="${fixed(x)}" y="${fixed(y)}"${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${escapeText(content)}</text>`

export const rule = (kind: string, x1: number, y1: number, x2: number, y2: number): string =>
  `<line class="${kind}" x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}"/>`

export const fixed = (value: number): string => value.toFixed(1)

const escapeText = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
