/** A queue as histories see it. Messages are positive integers. */
export interface SmallQueue extends Disposable {
  tryPush(message: number): boolean
  tryPop(): number | undefined
}
