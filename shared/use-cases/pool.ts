/** Calls to the storage that one run makes at once: enough to hide its latency, too few to be throttled for. */
const CONCURRENCY = 8;

/** Does `work` for every item, a few at a time; the answers come in the items' order. Ends at the first failure. */
export async function inPool<Item, Answer>(
  items: readonly Item[],
  work: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers = new Array<Answer>(items.length);
  const pending = items.entries();
  const worker = async () => {
    for (const [i, item] of pending) answers[i] = await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return answers;
}
