/** A pause of one loop that others can end early. A wake that comes while nobody sleeps ends the next pause. */
export class Sleeper {
  #wake: (() => void) | undefined;
  #isWoken = false;

  /** Waits `ms` of real time, or until {@link wake}. */
  async sleep(ms: number): Promise<void> {
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, ms));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = undefined;
    this.#isWoken = false;
  }

  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }
}
