import { z } from 'zod';
import type { HintKind, VaultHint } from '../../domain/vault-hint.ts';

/** A message that says nothing that Everleaf could look at, and why. Of what stands in it nothing is repeated. */
export interface UnreadableHint {
  readonly unreadable: string;
}

/** Event types of Key Vault that are looked into ("Azure Key Vault as Event Grid source", Microsoft Learn). */
const KINDS: ReadonlyMap<string, HintKind> = new Map(
  (['Certificate', 'Secret'] as const).flatMap((object) => [
    [`Microsoft.KeyVault.${object}NewVersionCreated`, 'new-version'] as const,
    [`Microsoft.KeyVault.${object}NearExpiry`, 'near-expiry'] as const,
    [`Microsoft.KeyVault.${object}Expired`, 'expired'] as const,
  ]),
);

/** Characters: an event of Key Vault has about 700, and a queue takes 65,536. */
const LONGEST_MESSAGE = 8_192;
const LONGEST_TYPE = 100;
const LONGEST_ID = 512;

const type = z.string().max(LONGEST_TYPE);
const data = z.object({ Id: z.string().max(LONGEST_ID) });
/** CloudEvents 1.0, 3.1: the attributes that every event has, as far as they are of use here. */
const cloudEvent = z.object({ specversion: z.literal('1.0'), type, data });
const eventGridEvent = z.object({ eventType: type, data });

/**
 * Reads a message of the queue of the vaults' events, in either schema that a subscription can deliver: CloudEvents 1.0 or
 * Event Grid's own. Of `data` it takes the `Id` alone: names beside it come with stray spaces in the documented samples, and
 * say nothing that the `Id` does not. Unknown members are ignored, as subscribers shall. The host hands over what it has
 * decoded and parsed already; text and Base64 of text are read as well, because how Event Grid encodes its messages has
 * changed before (MicrosoftDocs/azure-docs#102923), and host.json can say that the host leaves them alone.
 */
export function readVaultEvent(message: unknown): VaultHint | UnreadableHint {
  const event = parsed(message);
  if (typeof event === 'string') return { unreadable: event };
  const cloud = cloudEvent.safeParse(event);
  const grid = eventGridEvent.safeParse(event);
  const found = cloud.success
    ? { type: cloud.data.type, id: cloud.data.data.Id }
    : grid.success
      ? { type: grid.data.eventType, id: grid.data.data.Id }
      : null;
  if (found === null) return { unreadable: 'it is no event of a key vault' };
  const kind = KINDS.get(found.type);
  if (kind === undefined) return { unreadable: 'it is an event of another type than was subscribed to' };
  const object = readObjectId(found.id);
  return object === null ? { unreadable: 'its Id names no version of an object' } : { kind, ...object };
}

/** The message as an object, or in words why it is none. */
function parsed(message: unknown): object | string {
  if (typeof message === 'string') return parsedText(message);
  return typeof message === 'object' && message !== null ? message : 'it is no object';
}

function parsedText(message: string): object | string {
  // Before anything is done with it. An object from the host is no longer than a queue takes.
  if (message.length > LONGEST_MESSAGE) return 'it is too long';
  const isText = message.trimStart().startsWith('{');
  try {
    const value: unknown = JSON.parse(isText ? message : Buffer.from(message, 'base64').toString('utf8'));
    return typeof value === 'object' && value !== null ? value : 'it is no object';
  } catch {
    return 'it is no JSON';
  }
}

/** `https://<vault>/<certificates, secrets or keys>/<name>/<version>`: Key Vault's names and versions, and nothing else. */
function readObjectId(id: string): Pick<VaultHint, 'vaultOrigin' | 'name' | 'version'> | null {
  const text = id.trim();
  if (!URL.canParse(text)) return null;
  const { origin, pathname, search, hash, username, password } = new URL(text);
  const path = /^\/(?:certificates|secrets|keys)\/([0-9A-Za-z-]{1,127})\/([0-9A-Za-z]{1,64})$/.exec(pathname);
  if (path === null || `${search}${hash}${username}${password}` !== '') return null;
  const [, name = '', version = ''] = path;
  return { vaultOrigin: origin, name: name.toLowerCase(), version: version.toLowerCase() };
}
