import { inPath, query } from './operation.ts';
import { answered, cursor, forOperators, limit, type Paths } from './operator-parts.ts';
import { instant, text } from './schema.ts';

/** What operators and readers call about the fleet as a whole. */
export const operatorPaths: Paths = {
  '/api/status': {
    get: forOperators({
      id: 'getStatus',
      summary: 'The fleet, and the one next step that helps each identity',
      parameters: [
        query('cluster', 'Only this cluster.'),
        query('state', 'Only identities in this state.'),
        limit,
        cursor,
      ],
      answers: answered('The fleet.', 'Status'),
      problems: [400],
    }),
  },
  '/api/metrics': {
    get: forOperators({
      id: 'getMetrics',
      summary: 'The fleet in numbers, as Prometheus scrapes them',
      description:
        'Gauges of the whole record, and counters of the process that answers, by its name: others count for themselves.',
      parameters: [query('cluster', 'Credentials of this cluster alone.')],
      answers: {
        200: { text: 'Text exposition format 0.0.4.', type: 'text/plain', schema: text },
      },
    }),
  },
  '/api/plan': {
    get: forOperators({
      id: 'getPlan',
      summary: 'What a scan at a moment would do, and why',
      parameters: [
        query('at', 'The moment; now when it is left out.', instant),
        query('cluster', 'Only this cluster.'),
        limit,
        cursor,
      ],
      answers: answered('The plan.', 'Plan'),
      problems: [400],
    }),
  },
  '/api/events': {
    get: forOperators({
      id: 'listEvents',
      summary: 'The audit log, oldest first',
      parameters: [
        query(
          'cluster',
          'One chain: a cluster, or _fleet for what concerns none. All chains by time when left out.',
        ),
        query('type', 'Only events of this type.'),
        query('from', 'Not before this moment.', instant),
        query('to', 'Not after this moment.', instant),
        limit,
        cursor,
      ],
      answers: answered('One page.', 'Events'),
      problems: [400],
    }),
  },
  '/api/operations/{id}': {
    get: forOperators({
      id: 'getOperation',
      summary: 'How long work is getting on, identity by identity',
      parameters: [inPath('id', 'Id of the operation.'), limit, cursor],
      answers: answered('The operation.', 'Operation'),
      problems: [400, 404],
    }),
  },
  '/api/operations/{id}/login-files': {
    get: forOperators({
      id: 'getLoginFiles',
      summary: 'Login files with the unused tokens that the operation made',
      parameters: [inPath('id', 'Id of the operation.')],
      answers: answered('The files.', 'LoginFiles'),
      problems: [400, 404],
    }),
  },
};
