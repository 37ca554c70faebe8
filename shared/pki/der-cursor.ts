import { TAG } from './der-reader.ts';
import { assertDer } from './der-rules.ts';
import { invalid } from './invalid.ts';

/** One element that stands in a run of DER: it knows from where to where, and copies nothing. */
export class DerSlice {
  /** The first octet, to compare with `TAG`. */
  readonly tag: number;
  readonly #run: Buffer;
  readonly #start: number;
  readonly #content: number;
  readonly #end: number;

  /** @param run checked by `assertDer`, so that tags have one octet and lengths are true */
  constructor(run: Buffer, start: number) {
    const first = run[start + 1] ?? 0;
    const octets = first < 0x80 ? 0 : first & 0x7f;
    const length = octets === 0 ? first : run.readUIntBE(start + 2, octets);
    this.tag = run[start] ?? 0;
    this.#run = run;
    this.#start = start;
    this.#content = start + 2 + octets;
    this.#end = this.#content + length;
  }

  /** The element, header included. Not to be written to, nor what `content` gives. */
  get der(): Uint8Array {
    return this.#run.subarray(this.#start, this.#end);
  }

  get content(): Buffer {
    return this.#run.subarray(this.#content, this.#end);
  }

  /** The content as characters of one octet each, of a time for example. */
  get text(): string {
    return this.#run.toString('latin1', this.#content, this.#end);
  }

  /** The members one after another, each made when it is asked for. */
  *members(): Generator<DerSlice> {
    for (let next = this.#content; next < this.#end; ) {
      const member = new DerSlice(this.#run, next);
      next = member.#end;
      yield member;
    }
  }
}

/**
 * The one element that fills the bytes, in strict DER, without a tree of what is in it: `parseDer` for input of
 * millions of bytes.
 * @throws EverleafError InvalidInput with reason `not-der`, `trailing-data` or `too-deep`.
 */
export function sliceDer(bytes: Uint8Array): DerSlice {
  assertDer(bytes);
  return new DerSlice(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0);
}

/** Reads the members of a slice one after another, as `DerFields` does those of an element. */
export class DerCursor {
  readonly #name: string;
  readonly #members: Generator<DerSlice>;
  #next: DerSlice | null = null;

  /** @throws EverleafError InvalidInput, reason `malformed`, when the slice has another tag. */
  constructor(slice: DerSlice, name: string, tag: number = TAG.sequence) {
    if (slice.tag !== tag) throw wrongTag(name, slice.tag, tag);
    this.#name = name;
    this.#members = slice.members();
    this.#advance();
  }

  /** The next member. @throws EverleafError InvalidInput, reason `malformed`, when it is missing or has another tag */
  take(field: string, tag: number): DerSlice {
    const next = this.takeAny(field);
    if (next.tag !== tag) throw wrongTag(`the ${field} of ${this.#name}`, next.tag, tag);
    return next;
  }

  /** The next member, whatever its tag. */
  takeAny(field: string): DerSlice {
    const next = this.#next;
    if (next === null) throw invalid('malformed', `${this.#name} has no ${field}`);
    this.#advance();
    return next;
  }

  /** The next member when it has that tag, otherwise null and nothing is taken. */
  takeOptional(tag: number): DerSlice | null {
    const next = this.#next;
    if (next === null || next.tag !== tag) return null;
    this.#advance();
    return next;
  }

  /** @throws EverleafError InvalidInput, reason `malformed`, when members are left. */
  end(): void {
    if (this.#next !== null) throw invalid('malformed', `${this.#name} has more members than it may`);
  }

  #advance(): void {
    const { done, value } = this.#members.next();
    this.#next = done ? null : value;
  }
}

function wrongTag(name: string, found: number, expected: number) {
  const hex = (octet: number) => `0x${octet.toString(16).padStart(2, '0')}`;
  return invalid('malformed', `${name} has the tag ${hex(found)}, expected ${hex(expected)}`);
}
