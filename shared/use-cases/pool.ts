/** Calls to the storage that one run makes at once: enough to hide its latency, too few to be throttled for. */
const CONCURRENCY = 8;

/**
 * Does `work` for every item, a few at a time; the answers come in the items' order. Ends at the first failure: no other
 * item is begun then, and what was begun is waited for, so that nothing goes on behind the back of whoever gets it.
 */
export async function inPool<Item, Answer>(
  items: readonly Item[],
  work: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers = new Array<Answer>(items.length);
  const pending = items.entries();
  const failures: unknown[] = [];
  const worker = async () => {
    for (const [i, item] of pending) {
      try {
        answers[i] = await work(item);
      } catch (error) {
        failures.push(error);
      }
      if (failures.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  if (failures.length > 0) throw failures[0];
  return answers;
}
