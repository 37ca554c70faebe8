/** An answer other than success, in the words and codes of the service. */
export class VaultError extends Error {
  readonly status: number;
  readonly code: string;
  readonly innerCode: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    options: { innerCode?: string; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.name = 'VaultError';
    this.status = status;
    this.code = code;
    this.innerCode = options.innerCode ?? null;
    this.headers = options.headers ?? {};
  }

  /** The body that the SDK's error deserializer reads: `error.code`, `error.message`, `error.innererror.code`. */
  toBody(): Record<string, unknown> {
    const innererror = this.innerCode === null ? {} : { innererror: { code: this.innerCode } };
    return { error: { code: this.code, message: this.message, ...innererror } };
  }
}

/** A request that no state of the vault could make right. */
export function badParameter(message: string): VaultError {
  return new VaultError(400, 'BadParameter', message);
}

/** An operation that the object's own state or nature forbids; roles have nothing to do with it. */
export function forbidden(message: string, innerCode?: string): VaultError {
  return new VaultError(403, 'Forbidden', message, innerCode === undefined ? {} : { innerCode });
}

/** No live object of that kind and name, or no such version of it. */
export function notFound(kind: 'Certificate' | 'Key' | 'Secret', id: string): VaultError {
  return new VaultError(
    404,
    `${kind}NotFound`,
    `A ${kind.toLowerCase()} with (name/id) ${id} was not found in this key vault. If you recently deleted this ` +
      `${kind.toLowerCase()} you may be able to recover it using the correct recovery command. For help resolving this issue, please see ` +
      'https://go.microsoft.com/fwlink/?linkid=2125182',
  );
}

/** The name belongs to a soft-deleted object; it has to be recovered or purged first. */
export function deletedButRecoverable(kind: 'Certificate' | 'Key' | 'Secret', name: string): VaultError {
  return new VaultError(
    409,
    'Conflict',
    `${kind} ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this ` +
      'state, it can only be recovered or purged.',
    { innerCode: 'ObjectIsDeletedButRecoverable' },
  );
}

/** Thrown through to the server, which then closes the connection without an answer. */
export class ConnectionDropped extends Error {
  constructor() {
    super('The connection was dropped, as a fault rule asks.');
    this.name = 'ConnectionDropped';
  }
}
