import { z } from 'zod';
import { badParameter } from './errors.ts';

/** Tags as the service takes them: 15 at most, 256 characters each (Microsoft Learn, "About keys", tags). */
export const tagsSchema = z
  .record(z.string().max(256), z.string().max(256))
  .refine((tags) => Object.keys(tags).length <= 15, 'at most 15 tags are allowed');

/**
 * Reads a JSON body by its schema; what the schema does not name is ignored, as the service does.
 * @throws VaultError 400 BadParameter naming the property.
 */
export function readBody<Schema extends z.ZodType>(schema: Schema, body: string): z.output<Schema> {
  const result = schema.safeParse(parseJson(body));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const property = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.');
  throw badParameter(`Property ${property} has invalid value. ${issue?.message ?? ''}`.trim());
}

function parseJson(body: string): unknown {
  if (body === '') return {};
  try {
    return JSON.parse(body);
  } catch {
    throw badParameter('The body is not valid JSON.');
  }
}
