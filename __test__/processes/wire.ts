// How arguments and answers travel between processes: as JSON, with bytes in base64.

export function pack(value: unknown): unknown {
  if (value === undefined) return undefined
  const text = JSON.stringify(value, (_, part) =>
    part instanceof Uint8Array ? { base64: Buffer.from(part).toString('base64') } : part,
  )
  return JSON.parse(text)
}

export function unpack(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('base64' in value) return new Uint8Array(Buffer.from(value.base64 as string, 'base64'))
  if (Array.isArray(value)) return value.map(unpack)
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, unpack(part)]))
}
