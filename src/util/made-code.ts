/** Whether code can be made of strings: `--disallow-code-generation-from-strings` forbids it. */
let makesCode = true

/**
 * Makes a function of source text and calls it with values. Returns what it returns, or `undefined`
 * if the runtime makes no code of strings.
 *
 * @param body must be sound: names from outside get into it only as literals, by `JSON.stringify`
 */
export function madeCode<Made>(
  parameters: readonly string[],
  body: string,
  values: readonly unknown[],
): Made | undefined {
  if (!makesCode) return undefined
  try {
    return new Function(...parameters, `'use strict'; ${body}`)(...values) as Made
  } catch (error) {
    // The stack may be full. The EvalError may be of another realm.
    if (Object(error).name !== 'EvalError') throw error
    makesCode = false
    return undefined
  }
}
