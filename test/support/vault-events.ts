import type { HintKind, VaultHint } from '../../shared/domain/vault-hint.ts';

export const CLIENTS = 'https://clients.vault.test';
export const AUTHORITY = 'https://authority.vault.test';

/** A hint as the message reader makes it. */
export function hintOf(
  kind: HintKind,
  name: string,
  version = 'f'.repeat(32),
  vaultOrigin = CLIENTS,
): VaultHint {
  return { kind, vaultOrigin, name, version };
}

/** The documented sample of an event in CloudEvents 1.0, stray spaces included ("Azure Key Vault as Event Grid source"). */
export function cloudEvent(type: string, id: string): Record<string, unknown> {
  return {
    id: '00eccf70-95a7-4e7c-8299-2eb17ee9ad64',
    source:
      '/subscriptions/{subscription-id}/resourceGroups/sample-rg/providers/Microsoft.KeyVault/vaults/sample-kv',
    specversion: '1.0',
    type,
    subject: 'newsecret',
    time: '2019-07-25T01:08:33.1036736Z',
    data: dataOf(id),
  };
}

/** The same in Event Grid's own schema. */
export function eventGridEvent(type: string, id: string): Record<string, unknown> {
  return {
    id: '00eccf70-95a7-4e7c-8299-2eb17ee9ad64',
    topic:
      '/subscriptions/{subscription-id}/resourceGroups/sample-rg/providers/Microsoft.KeyVault/vaults/sample-kv',
    subject: 'newsecret',
    eventType: type,
    eventTime: '2019-07-25T01:08:33.1036736Z',
    data: dataOf(id),
    dataVersion: '1',
    metadataVersion: '1',
  };
}

function dataOf(Id: string) {
  return {
    Id,
    VaultName: 'sample-kv',
    ObjectType: 'Secret',
    'ObjectName ': 'newsecret',
    'Version ': ' ee059b2bb5bc48398a53b168c6cdcb10',
    NBF: '1559081980',
    EXP: '1559082102',
  };
}
