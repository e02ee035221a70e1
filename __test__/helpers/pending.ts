/** Whether a promise is pending after a turn of the event loop. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true
  const settled = () => {
    pending = false
  }
  promise.then(settled, settled)
  await new Promise(setImmediate)
  return pending
}
