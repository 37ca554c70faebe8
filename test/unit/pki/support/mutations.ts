import fc from 'fast-check';
import { isEverleafError } from '../../../../shared/domain/errors.ts';

/** One to four changes of a byte string: an octet replaced, left out, doubled, or the end cut off. */
export function mutationsOf(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    kind: fc.constantFrom('replace', 'drop', 'double', 'cut'),
    at: fc.nat(original.length - 1),
    octet: fc.nat(255),
  });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    let bytes = [...original];
    for (const { kind, at, octet } of changes) {
      if (kind === 'replace') bytes[at] = octet;
      else if (kind === 'drop') bytes.splice(at, 1);
      else if (kind === 'double') bytes.splice(at, 0, octet);
      else if (octet < 20) bytes = bytes.slice(0, at);
    }
    return Uint8Array.from(bytes.filter((each) => each !== undefined));
  });
}

/** Runs a step that may succeed or fail, but only with an error of ours. */
export function byNameOnly(step: () => unknown, ...codes: Parameters<typeof isEverleafError>[1][]): void {
  try {
    step();
  } catch (error) {
    if (!isEverleafError(error, ...codes)) throw error;
  }
}
