import type { RouteMethod, RouteName } from '../../../shared/http/routes.ts';
import type { KeyPair } from '../../unit/pki/support/keys.ts';
import type { Pick } from './pick.ts';
import type { HeldCertificate, OperatorName, Scene } from './scene.ts';

/** How a caller shows who it is. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'operator'; readonly name: OperatorName }
  | { readonly kind: 'proof'; readonly held: HeldCertificate };

/** A request before it has become text: what a good caller would send, or nearly. */
export interface Draft {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, or bytes as they are; undefined for a request without a body. */
  readonly body: unknown;
  readonly credential: Credential;
  /** The key that the answer's certificate is for. */
  readonly key: KeyPair | null;
}

/** What a good caller would send to one route with one method, as far as it knows the deployment. */
export type Recipe = (scene: Scene, pick: Pick) => Partial<Draft>;

export interface Target {
  readonly name: RouteName;
  readonly method: RouteMethod;
}
