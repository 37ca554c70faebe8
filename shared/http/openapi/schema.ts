/** A JSON Schema 2020-12, as OpenAPI 3.1 uses it. */
export type Schema = Readonly<Record<string, unknown>>;

export const text: Schema = { type: 'string' };
export const flag: Schema = { type: 'boolean' };
export const count: Schema = { type: 'integer', minimum: 0 };
/** UTC, whole seconds. */
export const instant: Schema = {
  type: 'string',
  format: 'date-time',
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$',
  examples: ['2026-11-21T00:00:00Z'],
};
export const hex: Schema = { type: 'string', pattern: '^[0-9a-f]+$' };
export const pem: Schema = { type: 'string', contentMediaType: 'application/x-pem-file' };

export function oneOf(...values: readonly string[]): Schema {
  return { type: 'string', enum: values };
}

export function list(items: Schema): Schema {
  return { type: 'array', items };
}

export function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

export function described(schema: Schema, description: string): Schema {
  return { ...schema, description };
}

/** A schema that stands among the document's components. */
export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** An object whose properties are all there, but for those whose names end in `?`. */
export function object(properties: Readonly<Record<string, Schema>>): Schema {
  const entries = Object.entries(properties).map(([key, schema]) => ({
    name: key.replace(/\?$/, ''),
    isOptional: key.endsWith('?'),
    schema,
  }));
  const required = entries.filter(({ isOptional }) => !isOptional).map(({ name }) => name);
  return {
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(entries.map(({ name, schema }) => [name, schema])),
  };
}

/** One page of a list. */
export function page(name: string, items: Schema, more: Readonly<Record<string, Schema>> = {}): Schema {
  return object({ ...more, [name]: list(items), nextCursor: orNull(text) });
}
