/** The app's settings: in Azure and here the environment of the process. */
export class AppSettings {
  readonly #values: Readonly<Record<string, string | undefined>>;
  readonly #hostStorage: string | undefined;

  /**
   * @param values setting name to value, usually process.env
   * @param hostStorage stands for the setting AzureWebJobsStorage when given
   */
  constructor(values: Readonly<Record<string, string | undefined>>, hostStorage?: string) {
    this.#values = values;
    this.#hostStorage = hostStorage;
  }

  get(name: string): string | undefined {
    if (name === 'AzureWebJobsStorage' && this.#hostStorage !== undefined) return this.#hostStorage;
    return this.#values[name];
  }

  /**
   * Replaces each `%NAME%` by the setting of that name.
   * https://learn.microsoft.com/azure/azure-functions/functions-bindings-expressions-patterns#binding-expressions---app-settings
   * @param usedBy for the message, for example `Function "renew-due": schedule`
   * @throws Error naming the setting that is missing
   */
  resolve(text: string, usedBy: string): string {
    return text.replace(/%([^%]+)%/g, (_, name: string) => {
      const value = this.get(name);
      if (value === undefined || value === '') {
        throw new Error(
          `${usedBy} is "${text}", but there is no app setting ${name}: add it to the app's settings.`,
        );
      }
      return value;
    });
  }

  /**
   * The connection string that a binding's `connection` names; AzureWebJobsStorage when it names none. A setting
   * with the prefix AzureWebJobs goes before the plain one, as in the real host.
   * @throws Error naming the setting; identity-based connections work in Azure only and are refused in so many words
   */
  connectionString(connection: string | undefined, usedBy: string): string {
    const name = connection === undefined || connection === '' ? 'AzureWebJobsStorage' : connection;
    const value = this.get(`AzureWebJobs${name}`) ?? this.get(name);
    if (value !== undefined && value !== '') return value;
    const identity = Object.keys(this.#values).find((key) => key.startsWith(`${name}__`));
    if (identity !== undefined) {
      throw new Error(
        `${usedBy}: connection "${name}" is identity-based (${identity}), which works in Azure only; set ${name} to a connection string to run it here.`,
      );
    }
    throw new Error(
      `${usedBy}: connection "${name}" needs an app setting ${name} with a storage connection string.`,
    );
  }
}
