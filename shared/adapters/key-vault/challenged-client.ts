/**
 * A Key Vault client whose first call goes alone. The clients learn whom to ask for a token from the challenge to
 * their first request, and @azure/keyvault-common 2.1.0 keeps that request's body in one place per client: of several
 * first requests at once, one may be sent without its body. After the first answered call there is nothing to learn
 * any more, and calls run side by side. A client whose first call never got past the challenge is thrown away.
 */
export class ChallengedClient<Client> {
  readonly #make: () => Client;
  #client: Client | undefined;
  #isReady = false;
  #first: Promise<void> | undefined;

  constructor(make: () => Client) {
    this.#make = make;
  }

  /** Runs `action` with the client, after the client's first call has been answered. Throws what `action` throws. */
  async call<Answer>(action: (client: Client) => Promise<Answer>): Promise<Answer> {
    while (!this.#isReady && this.#first !== undefined) await this.#first;
    this.#client ??= this.#make();
    const answer = action(this.#client);
    if (!this.#isReady) {
      this.#first = answer.then(
        () => this.#ready(),
        (error: unknown) => this.#firstFailed(error),
      );
    }
    return answer;
  }

  #ready(): void {
    this.#isReady = true;
    this.#first = undefined;
  }

  #firstFailed(error: unknown): void {
    const status = (error as { statusCode?: number }).statusCode;
    this.#isReady = status !== undefined && status !== 401;
    if (!this.#isReady) this.#client = undefined;
    this.#first = undefined;
  }
}
