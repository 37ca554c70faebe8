/** Speaking to the control endpoint of the stand-in. */
export interface Control {
  /** Asks for faults; gives their ids. */
  inject(...rules: Record<string, unknown>[]): Promise<string[]>;
  rules(): Promise<Record<string, unknown>[]>;
  /** Entries of the audit log, oldest first. */
  audit(query?: string): Promise<Record<string, unknown>[]>;
  request(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
}

export function controlAt(url: string): Control {
  const request = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  };
  return {
    request,
    async inject(...rules) {
      const { status, body } = await request('POST', '/faults', rules);
      if (status !== 201) throw new Error(`The rules were refused: ${JSON.stringify(body)}`);
      return (body as { rules: { id: string }[] }).rules.map(({ id }) => id);
    },
    async rules() {
      return ((await request('GET', '/faults')).body as { rules: Record<string, unknown>[] }).rules;
    },
    async audit(query = '') {
      return ((await request('GET', `/audit${query}`)).body as { items: Record<string, unknown>[] }).items;
    },
  };
}
