import { runChild } from '../process/child.ts';
import type { VaultProcessConfig } from './config.ts';
import { startVaults } from './vaults.ts';

await runChild<VaultProcessConfig>(async (config) => {
  if (process.env['WEBSITE_SITE_NAME'] !== undefined) {
    throw new Error('The Key Vault stand-in does not run inside Azure: use a real vault there.');
  }
  const vaults = await startVaults(config);
  const faults = vaults.controlUrl === null ? {} : { faultsUrl: vaults.controlUrl };
  return { info: { vaults: vaults.urls, ...faults }, stop: vaults.stop };
});
