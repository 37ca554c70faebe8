import { bundleIdOf } from '../../../cli/agent/issued.ts';
import {
  type IdentityId,
  identityText,
  VAULT_BUNDLE_NAME,
  vaultCertificateName,
} from '../../../shared/domain/names.ts';
import { acknowledgeBundle } from '../../../shared/use-cases/acknowledge-bundle.ts';
import { verifyProof } from '../../../shared/use-cases/verify-proof.ts';
import { makeProof } from '../proofs.ts';
import type { Scene } from './residents.ts';

/** The client's own certificate comes first in the secret, what it sends beside it afterwards. */
const END = '-----END CERTIFICATE-----\n';
const ACKNOWLEDGE = '/api/bundle/acknowledge';

/**
 * A client that takes certificate, chain, key and bundle from the vault whenever it looks there, goes on with what it has
 * until it looks again, and tells the server which bundle it found.
 */
export class VaultClient {
  readonly id: IdentityId;
  readonly #scene: Scene;
  #told = '';

  constructor(scene: Scene, id: IdentityId) {
    this.#scene = scene;
    this.id = id;
  }

  async look(): Promise<void> {
    const { world, handshakes } = this.#scene;
    const vaultName = vaultCertificateName(this.id);
    const current = world.clientVault.versions(vaultName).at(-1);
    const bundle = world.clientSecrets.versions(VAULT_BUNDLE_NAME).at(-1)?.value.reveal();
    if (current === undefined || bundle === undefined) {
      throw new Error(`The vault holds nothing for ${identityText(this.id)}.`);
    }
    const pem = world.clientVault.pem(vaultName);
    const end = pem.indexOf(END) + END.length;
    const [certificate, chain] = [pem.slice(0, end), pem.slice(end)];
    handshakes.hold(identityText(this.id), { certificate, chain, bundle }, world.clock.now());
    const bundleId = bundleIdOf(bundle);
    if (bundleId === this.#told) return;
    await this.#acknowledge(bundleId, current);
    this.#told = bundleId;
  }

  async #acknowledge(bundleId: string, current: { der: Uint8Array; keyId: string }): Promise<void> {
    const { deps, run, clock, clientVault } = this.#scene.world;
    const body = JSON.stringify({ bundleId });
    const key = { privateKey: clientVault.keyOf(current.keyId) };
    const proof = makeProof({ certificate: current.der, key, path: ACKNOWLEDGE, body, now: clock.now() });
    const sent = { proof, method: 'POST', path: ACKNOWLEDGE, body: new TextEncoder().encode(body) };
    const { record } = await verifyProof(deps, run, sent);
    await acknowledgeBundle(deps, run, record, bundleId);
  }
}
