import { type Schema, text } from './schema.ts';

/** One method of one path, in OpenAPI's words. */
export type Operation = Readonly<Record<string, unknown>>;

export interface OperationFacts {
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** `anyone`, or what opens it: names of the document's security schemes. */
  readonly security: readonly ('operator' | 'proof' | 'token')[] | 'anyone';
  readonly parameters?: readonly Operation[];
  readonly body?: Schema;
  /** JSON when it is left out. */
  readonly bodyType?: string;
  readonly isBodyOptional?: boolean;
  /** Answers by status; a schema is a JSON body, null is none. */
  readonly answers: Readonly<
    Record<
      number,
      {
        readonly text: string;
        readonly schema?: Schema;
        readonly type?: string;
        readonly headers?: readonly string[];
      }
    >
  >;
  /** Statuses that come with a problem beside those that every route may give. */
  readonly problems?: readonly number[];
}

const HEADERS: Readonly<Record<string, string>> = {
  etag: 'Names this state of the resource; send it back in If-Match.',
  location: 'Where the new resource is.',
  'retry-after': 'Seconds to wait before looking again.',
};

const PROBLEM_TEXTS: Readonly<Record<number, string>> = {
  400: 'The request is not as expected.',
  401: 'The credential is missing, wrong, expired or revoked.',
  403: 'The caller is not allowed to do this.',
  404: 'There is no such thing.',
  409: 'It does not fit the state of things.',
  412: 'Somebody has changed it since the ETag in If-Match.',
  413: 'The request is too large.',
  428: 'If-Match is missing.',
  429: 'Too many requests; Retry-After says when to come back.',
  500: 'Something went wrong; the log has more under the correlation id.',
  503: 'A part is not ready or not reachable; the same request may succeed later.',
};

/** Every route may meet these. */
const COMMON_PROBLEMS = [500, 503];

export function operation(facts: OperationFacts): Operation {
  const { security, parameters = [], body } = facts;
  const guarded = security === 'anyone' ? [] : [401];
  const allowed = security !== 'anyone' && security.includes('operator') ? [403] : [];
  const sent = body === undefined ? [] : [400, 413];
  const problems = new Set([...guarded, ...allowed, ...sent, ...(facts.problems ?? []), ...COMMON_PROBLEMS]);
  return {
    operationId: facts.id,
    summary: facts.summary,
    ...(facts.description === undefined ? {} : { description: facts.description }),
    security: security === 'anyone' ? [] : security.map((name) => ({ [name]: [] })),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: facts.isBodyOptional !== true,
            content: { [facts.bodyType ?? 'application/json']: { schema: body } },
          },
        }),
    responses: {
      ...Object.fromEntries([...problems].sort().map((status) => [String(status), problem(status)])),
      // Last, because a route may mean something of its own by a status of a problem.
      ...Object.fromEntries(
        Object.entries(facts.answers).map(([status, answer]) => [status, success(answer)]),
      ),
    },
  };
}

function success(answer: OperationFacts['answers'][number]): Operation {
  const names = answer.headers ?? [];
  return {
    description: answer.text,
    ...(names.length === 0
      ? {}
      : {
          headers: Object.fromEntries(
            names.map((name) => [name, { description: HEADERS[name] ?? name, schema: text }]),
          ),
        }),
    ...(answer.schema === undefined
      ? {}
      : { content: { [answer.type ?? 'application/json']: { schema: answer.schema } } }),
  };
}

function problem(status: number): Operation {
  return { $ref: `#/components/responses/Problem${status}` };
}

/** The answers that are problems, by the names under which they stand among the document's components. */
export const problemResponses: Readonly<Record<string, Operation>> = Object.fromEntries(
  Object.entries(PROBLEM_TEXTS).map(([status, description]) => [
    `Problem${status}`,
    {
      description,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  ]),
);

/** A parameter in the query. */
export function query(name: string, description: string, schema: Schema = text): Operation {
  return { name, in: 'query', required: false, description, schema };
}

/** A part of the path. */
export function inPath(name: string, description: string, schema: Schema = text): Operation {
  return { name, in: 'path', required: true, description, schema };
}

/** A request header. */
export function header(name: string, description: string, required = false): Operation {
  return { name, in: 'header', required, description, schema: text };
}
