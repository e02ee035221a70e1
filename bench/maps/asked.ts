/** What a worker asks its primary: to write a value if there is one, and for the value. */
export interface Asked {
  id: number
  key: string
  value?: unknown
}

export interface Answered {
  id: number
  value: unknown
}
