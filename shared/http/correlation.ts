const ACCEPTED = /^[0-9a-zA-Z-]{8,64}$/;

/** The caller's correlation id when it has the form of one, else the invocation's own. */
export function correlationIdOf(header: string | null, invocationId: string): string {
  return header !== null && ACCEPTED.test(header) ? header : invocationId;
}
