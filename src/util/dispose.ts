// Node 20 and 22 add these symbols to their main realm only. In a realm of their own, such as
// Jest's sandbox, `Symbol.dispose` is undefined, and a method of that name would be called
// "undefined". These are the symbols that Node adds.

export const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('nodejs.dispose')
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')
