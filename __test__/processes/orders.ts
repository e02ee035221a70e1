// A program that takes orders states them as an interface of methods: each takes one object and
// returns the answer. `hire` types what is told by it, and `obey` what carries it out.

/** What a method takes, and what it answers. */
export type Argument<Method> = Method extends (order: infer Order) => unknown ? Order : never
export type Answer<Method> = Method extends (...order: never[]) => infer Returned ? Awaited<Returned> : never

/** An order as it is told: the name of a method, with what the method takes. */
export type Order<Orders, Name extends keyof Orders> = { do: Name } & Argument<Orders[Name]>

/** What goes to the program. */
export interface Told {
  id: number
  order: object
}

/** What comes back. An answer to number 0 says that the program is ready. */
export type Said =
  | { id: number; answer?: unknown }
  /** The order waits, or is about to wait. */
  | { id: number; waits: true }
  | { id: number; refused: string; code?: string }
