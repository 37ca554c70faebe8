import { type IdentityId, identityText } from './names.ts';

/** The one step that helps an identity, who takes it, and the route that takes it there. */
export interface NextStep {
  readonly action:
    | 'none'
    | 'wait'
    | 'agent-renew'
    | 'agent-login'
    | 'agent-recover'
    | 'operator-rotate'
    | 'operator-unlock';
  readonly text: string;
  readonly route: string | null;
}

export const nothingToDo: NextStep = { action: 'none', text: 'Nothing to do.', route: null };

/** Everleaf does it by itself. */
export function wait(text: string): NextStep {
  return { action: 'wait', text, route: null };
}

/** The agent logs in with its token. */
export function agentLogsIn(text: string): NextStep {
  return { action: 'agent-login', text, route: '/api/login' };
}

/** The agent renews its certificate with proof of its key. */
export function agentRenews(text: string): NextStep {
  return { action: 'agent-renew', text, route: '/api/certificates/renew' };
}

/** The agent rotates its token with proof of its key. */
export function agentRotates(text: string): NextStep {
  return { action: 'agent-renew', text, route: '/api/token/rotate' };
}

/** The agent renews a certificate that has ended, with proof of its key. */
export function agentRecovers(text: string): NextStep {
  return { action: 'agent-recover', text, route: '/api/certificates/renew' };
}

/** An operator makes the next token, and carries it to the agent where no vault does. */
export function operatorRotates(id: IdentityId, text: string): NextStep {
  return { action: 'operator-rotate', text, route: `${routeOf(id)}/rotate` };
}

/** An operator decides who of two holds the line's key by right. */
export function operatorUnlocks(id: IdentityId, instance: string): NextStep {
  return {
    action: 'operator-unlock',
    text:
      `Two hold a key of instance ${instance} of ${identityText(id)}, or its agent was set back to an old state: find ` +
      'out which, then unlock the instance or revoke it.',
    route: `${routeOf(id)}/instances/${instance}/unlock`,
  };
}

function routeOf({ cluster, name }: IdentityId): string {
  return `/api/clusters/${cluster}/identities/${name}`;
}
