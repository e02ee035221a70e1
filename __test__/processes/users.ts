import type { Reference } from 'crossmem'
import { type Hired, hire } from './hire.js'

/** What a user is told: it has one object open at a time. */
export interface ObjectOrders {
  open(order: { reference: Reference | string }): string
  create(order: { name: string; byteLength: number; persist?: boolean }): number
  describe(): object
  read(order: { at: number }): number | undefined
  write(order: { at: number; value: number }): void
  close(): void
  rss(): number
}

/** A process that has an object open. */
export type User = Hired<ObjectOrders>

export const hireUser = (): Promise<User> => hire('objects/obey-objects')
