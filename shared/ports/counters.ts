/**
 * Counts that every instance of the app shares, each of one name in one window of time.
 * 1. `add` counts one, or as many as it is told, and answers the count, in which every `add` that was acknowledged before is contained.
 * 2. `count` answers the count, 0 where nothing was counted.
 * 3. Names and windows have nothing to do with one another.
 * 4. Many that add at once may lose their race: after a few tries `add` fails with Conflict and has counted nothing.
 * 5. `removeBefore` removes the counts of all windows that began before a moment, and may be called again whatever
 *    became of the last call.
 * Errors as IdentityStore.
 */
export interface Counters {
  /**
   * @param name hexadecimal digits, at least one
   * @param windowStart a whole minute
   * @param by 1 or more
   */
  add(name: string, windowStart: Date, by?: number): Promise<number>;
  count(name: string, windowStart: Date): Promise<number>;
  /** @returns how many counts were removed */
  removeBefore(windowStart: Date): Promise<number>;
}
