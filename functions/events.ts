import { app } from '@azure/functions';
import { eventsJson } from '../shared/http/events-json.ts';
import { readEventQuery } from '../shared/http/events-query.ts';
import { handled, routeOf } from '../shared/http/handle.ts';
import { getEvents } from '../shared/use-cases/get-events.ts';

app.http('events', {
  ...routeOf('events'),
  authLevel: 'anonymous',
  handler: handled('events', async ({ app: { deps }, request }) => ({
    jsonBody: eventsJson(await getEvents(deps, readEventQuery(request))),
  })),
});
