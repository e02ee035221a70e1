import * as addon from './addon.js'
import { translate } from './call.js'

// Calls that programs make by the million. They take and give numbers only, and go around napi-rs's
// conversion. There is one wrapper for each number of arguments: spreading them would cost as much
// as the call.

const calls = addon.hotCalls()

export function raw2(name: string): (a: number, b: number) => number {
  const call = calls[name] as (a: number, b: number) => number
  return (a, b) => {
    try {
      return call(a, b)
    } catch (error) {
      throw translate(error)
    }
  }
}

export function raw3(name: string): (a: number, b: number, c: number) => number {
  const call = calls[name] as (a: number, b: number, c: number) => number
  return (a, b, c) => {
    try {
      return call(a, b, c)
    } catch (error) {
      throw translate(error)
    }
  }
}

export function raw4(name: string): (a: number, b: number, c: number, d: number) => number {
  const call = calls[name] as (a: number, b: number, c: number, d: number) => number
  return (a, b, c, d) => {
    try {
      return call(a, b, c, d)
    } catch (error) {
      throw translate(error)
    }
  }
}
