/** Gives an object a property, whatever its name means elsewhere. */
export function define(object: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(object, key, { value, enumerable, writable: true, configurable: true })
}

/** As `define`, and faster for a name that means nothing elsewhere. */
export function setProperty(object: object, key: string, value: unknown): void {
  if (key in object) define(object, key, value)
  else (object as Record<string, unknown>)[key] = value
}
