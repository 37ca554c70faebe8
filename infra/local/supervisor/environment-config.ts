/**
 * What is chosen once per state directory and never again: the ports, the ids of the local tenant, and the secrets of
 * the stand-ins. Certificates' ids in the vault and addresses in login files hold the ports, so they must not move.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { readJsonFile, writePrivateFile } from './files.ts';
import { HeldPort, PortTakenError } from './ports.ts';

const PORT_NAMES = [
  'functions',
  'authorityVault',
  'clientVault',
  // Fault injection and the audit log of the vault stand-in.
  'faults',
  'issuer',
  'blob',
  'queue',
  'table',
  // Of `npm run services` alone: who moves the clock when the functions host is somebody else's.
  'clock',
] as const;
export type PortName = (typeof PORT_NAMES)[number];

export interface EnvironmentConfig {
  readonly format: 1;
  readonly ports: Readonly<Record<PortName, number>>;
  /** The local Entra tenant and the app's managed identity in it: client id (appid) and principal id (oid). */
  readonly tenantId: string;
  readonly clientId: string;
  readonly principalId: string;
  /** Principals of the people: an operator, a reader, and somebody with the portal open on the vaults. */
  readonly operatorId: string;
  readonly readerId: string;
  readonly personId: string;
  /** The secret of the managed identity endpoint (X-IDENTITY-HEADER). */
  readonly identityHeader: string;
  /** The functions host's master key. */
  readonly masterKey: string;
  readonly hostId: string;
  /** Base64 key of the storage account. */
  readonly storageAccountKey: string;
}

/** The port of the Functions Core Tools, which everybody's examples use. */
export const DEFAULT_PORT = 7071;

const FILE = 'environment.config.json';

/**
 * Reads the state directory's configuration, or makes it on the first start, and holds all its ports.
 * @param requestedPort the port wanted for the app: null = the stored one, else 7071; 0 = the stored one, else any free
 * one; another number wins over the stored one and is stored
 * @throws Error saying which port is taken and what to do
 */
export async function loadEnvironmentConfig(
  stateDir: string,
  requestedPort: number | null,
): Promise<{ config: EnvironmentConfig; ports: Readonly<Record<PortName, HeldPort>> }> {
  const path = join(stateDir, FILE);
  const stored = readJsonFile(path) as EnvironmentConfig | null;
  if (stored !== null && stored.format !== 1) {
    throw new Error(
      `${path} was written by another version of Everleaf. Use that version, or another EVERLEAF_STATE_DIR.`,
    );
  }
  const held: Partial<Record<PortName, HeldPort>> = {};
  try {
    for (const name of PORT_NAMES) held[name] = await holdPort(name, stored, requestedPort);
  } catch (error) {
    await Promise.all(Object.values(held).map((port) => port.release()));
    throw error;
  }
  const ports = held as Record<PortName, HeldPort>;
  const numbers = Object.fromEntries(PORT_NAMES.map((name) => [name, ports[name].port])) as Record<
    PortName,
    number
  >;
  const config = stored === null ? newConfig(numbers) : { ...stored, ports: numbers };
  const text = `${JSON.stringify(config, null, 2)}\n`;
  if (JSON.stringify(stored) !== JSON.stringify(config)) writePrivateFile(path, text);
  return { config, ports };
}

async function holdPort(
  name: PortName,
  stored: EnvironmentConfig | null,
  requestedPort: number | null,
): Promise<HeldPort> {
  const storedPort = stored?.ports[name];
  if (name !== 'functions') {
    return storedPort === undefined ? HeldPort.holdAny() : holdOr(storedPort, remedyForStandIn(name));
  }
  const wanted = requestedPort === 0 || requestedPort === null ? storedPort : requestedPort;
  if (wanted === undefined && requestedPort === 0) return HeldPort.holdAny();
  return holdOr(
    wanted ?? DEFAULT_PORT,
    'End that program, or choose another port: EVERLEAF_PORT=<port> in front of the command' +
      (storedPort === undefined ? ' (0 = any free one).' : '.'),
  );
}

function remedyForStandIn(name: PortName): string {
  return (
    `This state directory has kept it for "${name}" since its first start, and its records name it. ` +
    'End that program, or begin anew with another EVERLEAF_STATE_DIR.'
  );
}

async function holdOr(port: number, remedy: string): Promise<HeldPort> {
  try {
    return await HeldPort.hold(port);
  } catch (error) {
    if (error instanceof PortTakenError) throw new Error(`${error.message} ${remedy}`, { cause: error });
    throw error;
  }
}

function newConfig(ports: Record<PortName, number>): EnvironmentConfig {
  return {
    format: 1,
    ports,
    tenantId: randomUUID(),
    clientId: randomUUID(),
    principalId: randomUUID(),
    operatorId: randomUUID(),
    readerId: randomUUID(),
    personId: randomUUID(),
    identityHeader: randomUUID(),
    masterKey: randomBytes(40).toString('base64url'),
    hostId: `everleaf-${randomBytes(6).toString('hex')}`,
    // 64 bytes, as Azure's own account keys.
    storageAccountKey: randomBytes(64).toString('base64'),
  };
}
