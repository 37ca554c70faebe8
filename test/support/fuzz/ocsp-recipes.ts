/** What verifiers ask the OCSP responder: about certificates that they have seen, and about what nobody has issued. */
import { A_NONCE, questionAbout } from '../ocsp.ts';
import type { Draft } from './draft.ts';
import { conditional } from './operator-parts.ts';
import type { Pick } from './pick.ts';
import type { Scene } from './scene.ts';

export function askOcsp(scene: Scene, pick: Pick): Partial<Draft> {
  return { body: question(scene, pick) };
}

export function askOcspByGet(scene: Scene, pick: Pick): Partial<Draft> {
  const request = Buffer.from(question(scene, pick)).toString('base64');
  const known = scene.etags.get(`/api/ocsp/${encodeURIComponent(request)}`);
  return { params: { request }, headers: conditional('if-none-match', known) };
}

function question(scene: Scene, pick: Pick): Uint8Array {
  const serial = () => pick.orElse(scene.serials, '7f00112233445566');
  const serials = [serial(), ...(pick.oneIn(4) ? [serial()] : [])];
  const hash = pick.of(['sha1', 'sha256'] as const);
  return questionAbout({ certificate: scene.issuer }, serials, {
    hash,
    nonce: pick.oneIn(3) ? A_NONCE : null,
  });
}
