/** The identity provider's process. */
import { runChild } from '../process/child.ts';
import { type IssuerProcessConfig, startIssuer } from './issuer.ts';

await runChild<IssuerProcessConfig>(async (config) => {
  const { issuer, msiEndpoint, stop } = await startIssuer(config);
  return { info: { issuer, msiEndpoint }, stop };
});
