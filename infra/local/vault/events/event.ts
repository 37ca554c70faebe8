import { randomUUID } from 'node:crypto';
import type { StoredObject } from '../model.ts';

export type EventType = 'NewVersionCreated' | 'NearExpiry' | 'Expired';

/** A CloudEvent as Event Grid makes it of what Key Vault tells ("Azure Key Vault as Event Grid source", Microsoft Learn). */
export interface VaultEvent {
  readonly id: string;
  readonly source: string;
  readonly specversion: '1.0';
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: Readonly<Record<string, string>>;
}

/** Fixed in Azure, whatever the life of an object is. */
const NEAR_SECONDS = 30 * 86_400;

const OBJECTS = {
  certificate: { title: 'Certificate', collection: 'certificates' },
  key: { title: 'Key', collection: 'keys' },
  secret: { title: 'Secret', collection: 'secrets' },
} as const;

/** An event about the current version of an object, which must have one. NBF and EXP are text, as in the documented samples. */
export function eventOf(
  vault: { name: string; url: string },
  object: StoredObject,
  type: EventType,
): VaultEvent {
  const { name, kind } = object;
  const current = object.versions.at(-1);
  if (current === undefined) throw new Error(`There is no version of ${name} that an event could be about.`);
  const { title, collection } = OBJECTS[kind];
  const { nbf, exp } = current.attributes;
  return {
    id: randomUUID(),
    source: `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/Microsoft.KeyVault/vaults/${vault.name}`,
    specversion: '1.0',
    type: `Microsoft.KeyVault.${title}${type}`,
    subject: name,
    time: new Date().toISOString(),
    data: {
      Id: `${vault.url}/${collection}/${name}/${current.version}`,
      VaultName: vault.name,
      ObjectType: title,
      ObjectName: name,
      Version: current.version,
      ...(nbf === null ? {} : { NBF: String(nbf) }),
      ...(exp === null ? {} : { EXP: String(exp) }),
    },
  };
}

/** Whether a change has given an object another current version. */
export function hasNewVersion(before: StoredObject | undefined, after: StoredObject): boolean {
  const current = after.versions.at(-1);
  return current !== undefined && current.version !== before?.versions.at(-1)?.version;
}

/**
 * What time alone has brought about between two moments, of the current versions.
 * @param from exclusive, in seconds since 1970
 * @param until inclusive
 */
export function eventsOfTime(object: StoredObject, from: number, until: number): readonly EventType[] {
  const exp = object.versions.at(-1)?.attributes.exp ?? null;
  if (exp === null || object.deleted !== null) return [];
  const passed = (moment: number) => from < moment && moment <= until;
  return [
    ...(passed(exp - NEAR_SECONDS) ? (['NearExpiry'] as const) : []),
    ...(passed(exp) ? (['Expired'] as const) : []),
  ];
}
