/** Tells whether a route parameter's text is acceptable. */
export type RouteConstraint = (value: string) => boolean;

const INT32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };

/**
 * The inline constraints that this host knows: int, alpha, guid, length(n), length(min,max), minlength(n),
 * maxlength(n), in the meaning of
 * https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-constraints.
 * @throws Error for any other, so that no route matches more here than in Azure
 */
export function toConstraint(text: string, usedBy: string): RouteConstraint {
  const match = /^(\w+)(?:\((\d+)(?:,(\d+))?\))?$/.exec(text);
  const [name, first, second] = [match?.[1]?.toLowerCase(), match?.[2], match?.[3]];
  const a = Number(first);
  const b = Number(second ?? first);
  if (first === undefined) {
    if (name === 'int') {
      return (value) =>
        /^[-+]?\d{1,10}$/.test(value) && Number(value) >= INT32.min && Number(value) <= INT32.max;
    }
    if (name === 'alpha') return (value) => /^[a-z]*$/i.test(value);
    if (name === 'guid') return (value) => /^\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$/i.test(value);
  } else {
    if (name === 'length') return (value) => value.length >= a && value.length <= b;
    if (name === 'minlength' && second === undefined) return (value) => value.length >= a;
    if (name === 'maxlength' && second === undefined) return (value) => value.length <= a;
  }
  throw new Error(
    `${usedBy}: route constraint "${text}" is not supported by the local functions host, which knows int, alpha, guid, length, minlength and maxlength.`,
  );
}
