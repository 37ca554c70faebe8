/** The first part of every run: the stand-ins, started in order, and the first start against them. */
import { join } from 'node:path';
import type { StorageEndpoints } from '../storage/storage.ts';
import { appEnvironment, type Surroundings } from './app-environment.ts';
import { ensureBackupRecipient } from './backup-identity.ts';
import { type Command, commandLine } from './command.ts';
import type { PortName } from './environment-config.ts';
import { FILES, writeTokens } from './environment-file.ts';
import { ensurePrivateDirectory } from './files.ts';
import type { HeldPort } from './ports.ts';
import type { ProcessGroup } from './process-group.ts';
import {
  firstStartProcess,
  issuerProcess,
  loginDirectory,
  type Place,
  storageProcess,
  vaultProcess,
} from './roles.ts';
import { RunFailed } from './run-failed.ts';

export interface StandIns {
  readonly command: Command;
  readonly place: Place;
  readonly ports: Readonly<Record<PortName, HeldPort>>;
  readonly group: ProcessGroup;
  /** The developer's own settings of the product. */
  readonly policy: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
}

/**
 * Starts everything that the app needs. Each step needs the ones before it.
 * @throws RunFailed when the first start could not do its work, Error when a process did not come up
 */
export async function bringUpStandIns({
  command,
  place,
  ports,
  group,
  policy,
  say,
}: StandIns): Promise<Surroundings> {
  const { stateDir, config, machine } = place;
  const free = (...names: PortName[]) => Promise.all(names.map((name) => ports[name].release()));

  say('Starting storage');
  await free('blob', 'queue', 'table');
  const storage = (await group.start(storageProcess(place))).info as unknown as StorageEndpoints;

  say('Starting the identity provider');
  await free('issuer');
  const identity = (await group.start(issuerProcess(place))).info as Surroundings['identity'];

  say('Starting the key vaults');
  await free('authorityVault', 'clientVault', 'faults');
  const { issuer } = identity;
  const vault = await group.start(
    vaultProcess(place, { issuer, storageConnectionString: storage.connectionString }),
  );
  const { vaults, faultsUrl } = vault.info as { vaults: Surroundings['vaults']; faultsUrl: string };

  const baseUrl = `http://127.0.0.1:${config.ports.functions}`;
  const backupRecipient = await ensureBackupRecipient(stateDir);
  const surroundings: Surroundings = {
    config,
    baseUrl,
    storage,
    identity,
    vaults,
    backupRecipient,
    faultsUrl,
  };
  await writeTokens(stateDir, surroundings);

  say('Preparing the authority and the management cluster');
  ensurePrivateDirectory(loginDirectory(stateDir));
  const app = appEnvironment(surroundings, policy, machine);
  // Without a functions host nobody else can tell the bundle before environment.json is there.
  const caBundle = command === 'services' ? join(stateDir, FILES.caBundle) : null;
  const first = await group.run(firstStartProcess(place, app, { caBundle, onOutput: progress(say) }));
  if (first.how !== 'exit code 0') {
    throw new RunFailed(
      `The first start ended with ${first.how}. Run \`${commandLine(command)}\` again: it goes on where this one ended.`,
      first.logFile,
    );
  }
  return surroundings;
}

function progress(say: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') say(`  ${line}`);
  };
}
