import { invalid } from './invalid.ts';

/** The labels of RFC 7468 that Everleaf reads or writes. */
export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST' | 'NEW CERTIFICATE REQUEST';

const BLOCK =
  /-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n([A-Za-z0-9+/=\s]*?)\r?\n-----END ([A-Z0-9 ]{1,40})-----/y;
const ARMOUR = /-----BEGIN /g;

/**
 * The content of a text that holds exactly one PEM block of one of those labels (RFC 7468 section 3) and nothing
 * around it but white space. Lines may end in LF or CRLF and have any length; headers and explanatory text, which
 * other decoders skip, are refused, so that two readers cannot see two things in one text.
 * @throws EverleafError InvalidInput with reason `not-pem`, `wrong-pem-label` or `several-pem-blocks`.
 */
export function decodePem(text: string, ...labels: [PemLabel, ...PemLabel[]]): Uint8Array {
  const count = text.match(ARMOUR)?.length ?? 0;
  if (count > 1) throw invalid('several-pem-blocks', `the text holds ${count} PEM blocks, expected one`);
  const [only] = decodePemBundle(text, ...labels);
  if (only === undefined) throw invalid('not-pem', `the text is empty, expected a PEM block ${labels[0]}`);
  return only;
}

/**
 * The contents of a text made of PEM blocks of those labels, in their order, and white space between them. An empty
 * text has none.
 * @throws EverleafError InvalidInput with reason `not-pem` or `wrong-pem-label`.
 */
export function decodePemBundle(text: string, ...labels: [PemLabel, ...PemLabel[]]): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  let offset = skipWhiteSpace(text, 0);
  while (offset < text.length) {
    BLOCK.lastIndex = offset;
    const match = BLOCK.exec(text);
    if (match === null) {
      throw invalid(
        'not-pem',
        `the text is not PEM at character ${offset}, expected "-----BEGIN ${labels[0]}-----"`,
      );
    }
    const [block, label = '', body = '', endLabel] = match;
    if (!labels.some((expected) => expected === label)) {
      throw invalid('wrong-pem-label', `the PEM block is labelled "${label}", expected "${labels[0]}"`);
    }
    if (endLabel !== label) {
      throw invalid('not-pem', `the PEM block "${label}" ends as "${endLabel}"`);
    }
    blocks.push(decodeBase64(body));
    offset = skipWhiteSpace(text, offset + block.length);
  }
  return blocks;
}

/** One block: lines of 64 characters, LF, and a newline at the end (RFC 7468 section 2). */
export function encodePem(label: PemLabel, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.map((line) => `${line}\n`).join('')}-----END ${label}-----\n`;
}

/** Canonical base64 (RFC 4648 section 3.5): one text for one content, so that padding cannot carry anything. */
function decodeBase64(body: string): Uint8Array {
  const text = body.replace(/\s+/g, '');
  const bytes = Buffer.from(text, 'base64');
  if (text === '' || bytes.toString('base64') !== text) {
    throw invalid('not-pem', 'the PEM block does not hold canonical base64');
  }
  return Uint8Array.from(bytes);
}

function skipWhiteSpace(text: string, from: number): number {
  let offset = from;
  while (offset < text.length && /\s/.test(text.charAt(offset))) offset += 1;
  return offset;
}
