/** Above this many new keys, sorting all of them again is quicker than moving the others aside for each. */
const FEW = 64;

/**
 * The row keys of a partition in the order of their UTF-16 code units, which sorts the ASCII keys of the record as Table
 * storage does. A range is found by
 * binary search, so that it costs what it answers and not what the partition holds.
 */
export class OrderedKeys {
  #ordered: string[] = [];
  /** Added since the last look, in any order: whoever loads a million rows sorts them once. */
  #added: string[] = [];

  /** The same keys in a list of its own. */
  copy(): OrderedKeys {
    this.#settle();
    const copy = new OrderedKeys();
    copy.#ordered = [...this.#ordered];
    return copy;
  }

  /** @param key one that is not there yet */
  add(key: string): void {
    this.#added.push(key);
  }

  /** @param key one that is there */
  remove(key: string): void {
    this.#settle();
    const index = this.#firstFrom(key);
    if (this.#ordered[index] === key) this.#ordered.splice(index, 1);
  }

  /** The keys with `from` <= key < `before`, in order. They must not be changed while they are walked. */
  *between(from: string, before: string): Generator<string> {
    this.#settle();
    for (let index = this.#firstFrom(from); ; index++) {
      const key = this.#ordered[index];
      if (key === undefined || key >= before) return;
      yield key;
    }
  }

  #settle(): void {
    const added = this.#added;
    if (added.length === 0) return;
    this.#added = [];
    if (added.length > FEW) {
      this.#ordered = [...this.#ordered, ...added].sort(byCodeUnits);
    } else {
      for (const key of added) this.#ordered.splice(this.#firstFrom(key), 0, key);
    }
  }

  /** The place of the first key that is not less than `key`. */
  #firstFrom(key: string): number {
    let low = 0;
    let high = this.#ordered.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ordered[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
