import { z } from 'zod';
import { OPERATIONS } from '../operations.ts';

/** Before the request has done anything, or when it has, so that only its answer is lost. */
const whenSchema = z.enum(['before', 'after']).default('before');

const effectSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('latency'), ms: z.number().int().min(0).max(600_000) }),
  z.strictObject({
    kind: z.literal('status'),
    status: z.number().int().min(400).max(599),
    code: z.string().min(1).optional(),
    message: z.string().optional(),
    retryAfterSeconds: z.number().int().min(0).optional(),
    when: whenSchema,
  }),
  z.strictObject({ kind: z.literal('drop'), when: whenSchema }),
  z.strictObject({ kind: z.literal('torn-write') }),
  z.strictObject({ kind: z.literal('crash'), when: whenSchema }),
]);

/** A fault as it is asked for. A condition that is left out is met by every request. */
export const ruleSchema = z.strictObject({
  vault: z.string().optional(),
  method: z
    .string()
    .transform((method) => method.toUpperCase())
    .optional(),
  path: z.string().min(1).transform(pathPattern).optional(),
  action: z.enum(OPERATIONS).optional(),
  /** How many requests it strikes; all when left out. */
  times: z.number().int().min(1).optional(),
  /** How many requests that meet its conditions it lets pass first. */
  skip: z.number().int().min(0).default(0),
  effect: effectSchema,
});

export type FaultRule = z.output<typeof ruleSchema>;
export type FaultEffect = FaultRule['effect'];

/** A path's pattern: the text it was given as, and what it means. */
interface PathPattern {
  readonly text: string;
  readonly expression: RegExp;
}

/**
 * `regex:<expression>`, or a glob for the whole path: `*` is anything but a slash, `**` is anything. Paths have neither
 * query nor trailing slash, and compare without regard to case, as object names do.
 */
function pathPattern(text: string, context: z.core.$RefinementCtx<string>): PathPattern {
  const prefix = 'regex:';
  const source = text.startsWith(prefix)
    ? text.slice(prefix.length)
    : `^${text
        .split(/(\*\*|\*)/)
        .map(globPart)
        .join('')}$`;
  try {
    return { text, expression: new RegExp(source, 'i') };
  } catch {
    context.addIssue({ code: 'custom', message: 'not a regular expression' });
    return z.NEVER;
  }
}

function globPart(part: string): string {
  if (part === '**') return '.*';
  if (part === '*') return '[^/]*';
  return part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
}
