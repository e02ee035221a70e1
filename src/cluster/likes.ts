import type { ReadableStream, WritableStream } from 'node:stream/web'

// What the objects of one machine and those of a server have in common, so that a program can be
// written for either. On one machine some of these calls answer at once; `await` takes both.

/** An answer at once, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>

/** How long to wait, and what ends the wait earlier. */
export interface WaitOptionsLike {
  /** Milliseconds; 0 tries once. Default: without limit. */
  timeout?: number
  /** Aborting it ends the wait: the promise rejects with the signal's reason. */
  signal?: AbortSignal
}

/** What is held: {@link Guard}, or a guard of a server. */
export interface GuardLike extends AsyncDisposable {
  /** Whether a holder died, and no later holder has called `markConsistent()`. */
  readonly ownerDied: boolean
  /** Whether this guard holds nothing any more. */
  readonly isReleased: boolean
  /** Releases the lock. */
  release(): MaybePromise<void>
  /** Says that the guarded data is whole again. */
  markConsistent(): MaybePromise<void>
}

/** What is closed, and unlinked. */
export interface ObjectLike {
  /** The object's name. */
  readonly name: string
  /** Closes the handle. */
  close(): MaybePromise<void>
  /** Takes the object's name away. */
  unlink(): MaybePromise<unknown>
}

/** {@link Mutex}, or a mutex of a server. */
export interface MutexLike extends ObjectLike {
  /** Waits for the lock. */
  lock(options?: WaitOptionsLike): Promise<GuardLike>
  /** Takes the lock if it is free. */
  tryLock(): MaybePromise<GuardLike | undefined>
  /** Runs `act` with the lock. */
  withLock<Result>(
    act: (guard: GuardLike) => Result | Promise<Result>,
    options?: WaitOptionsLike,
  ): Promise<Result>
  /** Whether the lock is held at this instant. */
  readonly isLocked: MaybePromise<boolean>
}

/** {@link RwLock}, or one of a server. */
export interface RwLockLike extends ObjectLike {
  /** Waits to read. */
  read(options?: WaitOptionsLike): Promise<GuardLike>
  /** Begins to read if it can. */
  tryRead(): MaybePromise<GuardLike | undefined>
  /** Runs `act` while reading. */
  withRead<Result>(
    act: (guard: GuardLike) => Result | Promise<Result>,
    options?: WaitOptionsLike,
  ): Promise<Result>
  /** Waits to write. */
  write(options?: WaitOptionsLike): Promise<GuardLike>
  /** Begins to write if the lock is free. */
  tryWrite(): MaybePromise<GuardLike | undefined>
  /** Runs `act` while writing. */
  withWrite<Result>(
    act: (guard: GuardLike) => Result | Promise<Result>,
    options?: WaitOptionsLike,
  ): Promise<Result>
}

/** {@link Permit}, or one of a server. */
export interface PermitLike extends GuardLike {
  /** Uses the permit up. */
  consume(): MaybePromise<void>
}

/** {@link Semaphore}, or one of a server. */
export interface SemaphoreLike extends ObjectLike {
  /** Waits for a permit. */
  acquire(options?: WaitOptionsLike): Promise<PermitLike>
  /** Takes a permit if one is free. */
  tryAcquire(): MaybePromise<PermitLike | undefined>
  /** Runs `act` with a permit. */
  withPermit<Result>(
    act: (permit: PermitLike) => Result | Promise<Result>,
    options?: WaitOptionsLike,
  ): Promise<Result>
  /** Releases permits. */
  release(count?: number): MaybePromise<void>
  /** Free permits at this instant. */
  readonly value: MaybePromise<number>
  /** The most permits there can be. */
  readonly max: number
}

/** {@link Event}, or one of a server. */
export interface EventLike extends ObjectLike {
  /** Sets the event. */
  set(): MaybePromise<void>
  /** Clears the event. */
  clear(): MaybePromise<void>
  /** Whether the event is set at this instant. */
  readonly isSet: MaybePromise<boolean>
  /** Waits until the event is set. */
  wait(options?: WaitOptionsLike): Promise<void>
  /** Whether the event is set; an event with `autoReset` is cleared. */
  tryWait(): MaybePromise<boolean>
}

/** {@link Condition}, or one of a server. */
export interface ConditionLike extends MutexLike {
  /** Gives the lock up, waits for a notification, and takes the lock again. */
  wait(options?: WaitOptionsLike): Promise<void>
  /** Waits until `predicate` returns something truthy. */
  waitFor<Result>(
    predicate: () => Result | Promise<Result>,
    options?: WaitOptionsLike,
  ): Promise<NonNullable<Result>>
  /** Wakes waiters. */
  notify(count?: number): MaybePromise<number>
  /** Wakes all waiters. */
  notifyAll(): MaybePromise<number>
}

/** {@link Barrier}, or one of a server. */
export interface BarrierLike extends ObjectLike {
  /** Waits until all parties have come. */
  wait(options?: WaitOptionsLike): Promise<number>
  /** Breaks the barrier. */
  abort(): MaybePromise<void>
  /** Makes the barrier as new. */
  reset(): MaybePromise<void>
  /** How many parties meet. */
  readonly parties: number
  /** How many parties wait at this instant. */
  readonly waiting: MaybePromise<number>
  /** Whether the barrier is broken at this instant. */
  readonly isBroken: MaybePromise<boolean>
}

/** {@link Value} of a dtype whose numbers are JavaScript's, or one of a server. */
export interface ValueLike extends ObjectLike {
  /** The number. */
  get(): MaybePromise<number>
  /** Stores a number. */
  set(value: number): MaybePromise<void>
  /** Adds; returns the number before. */
  add(value: number): MaybePromise<number>
  /** Subtracts; returns the number before. */
  sub(value: number): MaybePromise<number>
  /** Stores a number; returns the one before. */
  exchange(value: number): MaybePromise<number>
  /** Stores `replacement` if the number equals `expected`; returns the one before. */
  compareExchange(expected: number, replacement: number): MaybePromise<number>
  /** Stores what `change` makes of the number, and returns that. */
  update(change: (value: number) => number): MaybePromise<number>
}

/** {@link Message}, or one of a server. */
export interface MessageLike<T> {
  /** The value that was put. */
  readonly value: T
  /** Whether an earlier reader died with it. */
  readonly redelivered: boolean
  /** Finishes the message. */
  release(): MaybePromise<void>
}

/** {@link Queue}, or one of a server. */
export interface QueueLike<T = unknown> extends ObjectLike, AsyncIterable<T> {
  /** Puts a value in, once there is room. */
  put(value: T, options?: WaitOptionsLike): Promise<void>
  /** Puts a value in if there is room now. */
  tryPut(value: T): MaybePromise<boolean>
  /** Puts values in, in order, as there is room. */
  putMany(values: readonly T[], options?: WaitOptionsLike): Promise<void>
  /** Puts as many values as there is room for now; returns how many. */
  tryPutMany(values: readonly T[]): MaybePromise<number>
  /** Takes a value out, once there is one. */
  get(options?: WaitOptionsLike): Promise<T>
  /** Takes a value out if there is one. */
  tryGet(): MaybePromise<T | undefined>
  /** Takes out at most `max` values, once there is at least one. */
  getMany(max: number, options?: WaitOptionsLike): Promise<T[]>
  /** Takes out at most `max` of the values that are there now. */
  tryGetMany(max: number): MaybePromise<T[]>
  /** As `get`, but returns a message, which is finished by `release()`. */
  receive(options?: WaitOptionsLike): Promise<MessageLike<T>>
  /** As `tryGet`, but returns a message, which is finished by `release()`. */
  tryReceive(): MaybePromise<MessageLike<T> | undefined>
  /** Yields messages until the queue has ended and is empty. */
  messages(): AsyncGenerator<MessageLike<T>, void, void>
  /** A web stream of the values. */
  readonly readable: ReadableStream<T>
  /** A web stream into the queue. */
  readonly writable: WritableStream<T>
  /** Ends the queue. */
  end(): MaybePromise<void>
  /** Whether the queue was ended. */
  readonly isEnded: MaybePromise<boolean>
  /** How many messages are in it. */
  readonly size: MaybePromise<number>
  /** Whether no message is in it. */
  readonly isEmpty: MaybePromise<boolean>
  /** Whether as many messages are in it as it has room for. */
  readonly isFull: MaybePromise<boolean>
  /** How many messages it has room for. */
  readonly capacity: MaybePromise<number>
  /** Whether a message whose reader died goes to the next reader. */
  readonly redeliver: MaybePromise<boolean>
}

/** {@link JoinableQueue}, or one of a server. */
export interface JoinableQueueLike<T = unknown> extends QueueLike<T> {
  /** Finishes the oldest task that was taken through this handle. */
  taskDone(): MaybePromise<void>
  /** Waits until every task is finished. */
  join(options?: WaitOptionsLike): Promise<void>
  /** How many tasks are neither finished nor failed. */
  readonly unfinished: MaybePromise<number>
  /** How many tasks failed because their worker died. */
  readonly failed: MaybePromise<number>
}
