import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { openApiDocument } from '../../shared/http/openapi/document.ts';

/** What a caller sees of an answer. */
export interface SeenAnswer {
  readonly method: string;
  /** From `/api` on; a query is left aside. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string | null;
  /** The parsed body; undefined when it is not JSON. */
  readonly json: unknown;
}

interface Answer {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}
interface Described {
  readonly responses: Readonly<Record<string, Answer>>;
}

const document = openApiDocument('test') as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly responses: Readonly<Record<string, Answer>>;
  };
};
const validators = new Map<object, ValidateFunction>();
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });

/**
 * What is wrong with an answer by the OpenAPI document: a path, method, status or media type that it does not name, a
 * body that is not of its schema, a field that it does not describe. Null: all is well.
 */
export function undocumented(seen: SeenAnswer): string | null {
  const path = (seen.path.split('?')[0] ?? '').replace(/\/$/, '');
  const template = Object.keys(document.paths).find((one) => matches(one, path));
  const what = `${seen.method} ${path}`;
  const operation =
    template === undefined ? undefined : document.paths[template]?.[seen.method.toLowerCase()];
  if (operation === undefined) return `${what} is not in the document`;
  const named = operation.responses[String(seen.status)];
  const answer =
    named?.$ref === undefined ? named : document.components.responses[named.$ref.split('/').at(-1) ?? ''];
  if (answer === undefined) return `${what}: status ${seen.status} is not in the document`;
  if (answer.content === undefined) {
    return seen.json === undefined ? null : `${what}: ${seen.status} has a body and should have none`;
  }
  const type = seen.contentType?.split(';')[0]?.trim() ?? 'nothing';
  const media = answer.content[type];
  if (media === undefined) return `${what}: ${seen.status} comes as ${type}`;
  if (!/json$/.test(type)) return null;
  const validate = validatorOf(media.schema);
  if (validate(seen.json)) return null;
  return `${what}: ${seen.status} ${ajv.errorsText(validate.errors)} in ${JSON.stringify(seen.json).slice(0, 500)}`;
}

/** Parameters match one segment; a template without any comes first in the document's own order or not at all. */
function matches(template: string, path: string): boolean {
  const wanted = template.split('/');
  const found = path.split('/');
  return (
    wanted.length === found.length &&
    wanted.every((part, i) => (part.startsWith('{') ? found[i] !== '' : part === found[i]))
  );
}

function validatorOf(schema: object): ValidateFunction {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  const made = ajv.compile({
    ...(closed(schema) as object),
    components: { schemas: closed(document.components.schemas) },
  });
  validators.set(schema, made);
  return made;
}

/** The same schema, and nothing beside the properties that it names: what is not described must not be answered. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return copy['type'] === 'object' &&
    copy['properties'] !== undefined &&
    copy['additionalProperties'] === undefined
    ? { ...copy, additionalProperties: false }
    : copy;
}
