const FIRST_BYTES = 4096;

/** Bytes that are added to one after another: each is copied about twice in all, however many come. */
export class GrowingBytes {
  #room = new Uint8Array(FIRST_BYTES);
  #length = 0;

  add(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#room.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#room.length));
      larger.set(this.#room);
      this.#room = larger;
    }
    this.#room.set(bytes, this.#length);
    this.#length = length;
  }

  /** All that was added, until the next `add`. */
  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }
}
