const PERCENT = '\0';

function toKey(name: string): string {
  return name.replaceAll('__', ':').toLowerCase();
}

/** The app's settings: in Azure and here the environment of the process. */
export class AppSettings {
  readonly #values: Readonly<Record<string, string | undefined>>;
  /** .NET's configuration knows no case, and writes `__` in an environment variable's name as `:`. */
  readonly #byKey = new Map<string, string>();
  readonly #hostStorage: string | undefined;

  /**
   * @param values setting name to value, usually process.env
   * @param hostStorage stands for the setting AzureWebJobsStorage when given
   */
  constructor(values: Readonly<Record<string, string | undefined>>, hostStorage?: string) {
    this.#values = values;
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined) this.#byKey.set(toKey(name), value);
    }
    this.#hostStorage = hostStorage;
  }

  get(name: string): string | undefined {
    const key = toKey(name);
    if (key === 'azurewebjobsstorage' && this.#hostStorage !== undefined) return this.#hostStorage;
    // Two settings whose names differ in case only can exist here; then the exact one is meant.
    return this.#values[name] ?? this.#byKey.get(key);
  }

  /**
   * Replaces each `%NAME%` by the setting of that name, as the real host does in a timer's schedule, a queue's name and
   * the name of a connection, and nowhere else: in a route a percent sign is one.
   * https://learn.microsoft.com/azure/azure-functions/functions-bindings-expressions-patterns#binding-expressions---app-settings
   * @param usedBy for the message, for example `Function "renew-due": schedule`
   * @throws Error naming the setting that is missing, in the real host's words (NameResolverExtensions.cs in
   *   azure-webjobs-sdk)
   */
  resolve(text: string, usedBy: string): string {
    const resolved = text.replace(/%([^%]*)%/g, (_, name: string) => {
      const value = this.get(name);
      if (value === undefined || value === '') {
        throw new Error(
          `${usedBy}: '%${name}%' does not resolve to a value: add an app setting ${name}, which "${text}" needs.`,
        );
      }
      // Out of the way of the search for an odd sign below.
      return value.replaceAll('%', PERCENT);
    });
    const odd = resolved.indexOf('%');
    if (odd !== -1) throw new Error(`${usedBy}: the '%' in "${text}" does not have a closing '%'.`);
    return resolved.replaceAll(PERCENT, '%');
  }

  /**
   * The connection string that a binding's `connection` names; AzureWebJobsStorage when it names none. A setting
   * with the prefix AzureWebJobs goes before the plain one, as in the real host.
   * @throws Error naming the setting; identity-based connections work in Azure only and are refused in so many words
   */
  connectionString(connection: string | undefined, usedBy: string): string {
    const given = this.resolve(connection ?? '', `${usedBy}: connection`);
    const name = given === '' ? 'AzureWebJobsStorage' : given;
    const value = this.get(`AzureWebJobs${name}`) ?? this.get(name);
    if (value !== undefined && value !== '') return value;
    const identity = Object.keys(this.#values).find((key) => toKey(key).startsWith(`${toKey(name)}:`));
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
