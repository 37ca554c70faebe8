/**
 * What can be done, as `<provider>/<operation>`: the cloud agent's providers and operations, in the lower-case spelling
 * of its SDK, with a slash between them. `read` never yields a secret: what does has a name of its own.
 */
const OPERATIONS = {
  cluster: ['read', 'write', 'delete', 'renew', 'update'],
  identity: ['read', 'write', 'delete', 'rotate', 'revoke', 'unlock'],
  certificate: ['read', 'sign', 'renew'],
  operation: ['read', 'login-files'],
  event: ['read'],
  status: ['read'],
  plan: ['read'],
  role: ['read', 'write', 'delete'],
  roleassignment: ['read', 'write', 'delete'],
  access: ['check'],
  // To taint is to have every certificate of an authority replaced, and to revoke it: apart from its planned life.
  authority: ['read', 'write', 'taint'],
  revocation: ['read', 'write', 'delete'],
  // To make an identity that is worth more than itself, or to get hold of its credentials: whoever may can become it. That
  // is one of client type Admin or Host, and one that roles are assigned to. To give DNS names to any identity, too: its
  // certificates then speak for them.
  admin: ['issue'],
} as const;

type Operations = typeof OPERATIONS;

/** An action of Everleaf's own routes. */
export type Action = {
  [Provider in keyof Operations]: `${Provider}/${Operations[Provider][number]}`;
}[keyof Operations];

const WORD = '[a-z][a-z0-9-]{0,31}';
const ACTION = new RegExp(`^${WORD}/${WORD}$`);
const PATTERN = new RegExp(`^(?:\\*|(?:\\*|${WORD})/(?:\\*|${WORD}))$`);

/**
 * Whether a text names one action. Actions of providers that Everleaf does not know are fine: verifiers ask about what
 * they guard themselves. An unknown operation of a provider of its own is a mistake.
 */
export function isAction(text: string): boolean {
  return ACTION.test(text) && isKnown(text);
}

/** Whether a text is an action or has `*` for the provider, the operation, or everything. */
export function isActionPattern(text: string): boolean {
  return PATTERN.test(text) && isKnown(text);
}

/** Whether a pattern of a role names an action. A lone `*` names every one. */
export function matchesAction(pattern: string, action: string): boolean {
  if (pattern === '*') return true;
  const [provider, operation] = pattern.split('/');
  const [wantedProvider, wantedOperation] = action.split('/');
  return (
    (provider === '*' || provider === wantedProvider) && (operation === '*' || operation === wantedOperation)
  );
}

function isKnown(text: string): boolean {
  const [provider = '', operation = '*'] = text.split('/');
  if (!Object.hasOwn(OPERATIONS, provider) || operation === '*') return true;
  return (OPERATIONS[provider as keyof Operations] as readonly string[]).includes(operation);
}
