import { app } from '@azure/functions';
import { handled, routeOf } from '../shared/http/handle.ts';
import { PROMETHEUS_TYPE, prometheusText } from '../shared/http/prometheus.ts';
import { readMetrics } from '../shared/use-cases/read-metrics.ts';

app.http('metrics', {
  ...routeOf('metrics'),
  authLevel: 'anonymous',
  handler: handled('metrics', async ({ app: { deps }, request }) => {
    const metrics = await readMetrics(deps, request.query.get('cluster'));
    return { headers: { 'content-type': PROMETHEUS_TYPE }, body: prometheusText(metrics) };
  }),
});
