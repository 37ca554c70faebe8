/** The process's environment: the only place where the product reads it. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
