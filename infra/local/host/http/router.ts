import type { HttpFunction } from '../triggers.ts';
import { RouteTemplate } from './route-template.ts';

export interface RouteMatch {
  readonly target: HttpFunction;
  readonly params: Record<string, string>;
}

/** Finds the function for a request. */
export type Router = (method: string, path: string) => RouteMatch | undefined;

/**
 * Routes are tried in the alphabetical order of the FUNCTIONS' NAMES, not by how specific they are, as the real host
 * does; a method that a function does not list is no match, so the answer in the end is 404 and never 405, also for
 * HEAD on a GET function (src/WebJobs.Extensions.Http in azure-webjobs-sdk-extensions, WebJobsRouter and
 * HttpMethodRouteConstraint).
 * @throws Error for a route that the host itself answers, and for a form that is not supported
 */
export function createRouter(functions: readonly HttpFunction[], routePrefix: string): Router {
  const routes = [...functions]
    .sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))
    .map((target) => {
      const text = [routePrefix, target.route.replace(/^\/+/, '')].filter((part) => part !== '').join('/');
      if (/^(admin|runtime|local)(\/|$)/i.test(text)) {
        throw new Error(
          `Function "${target.name}": The specified route conflicts with one or more built in routes: "${text}" (admin, runtime and local are the host's).`,
        );
      }
      return { target, template: new RouteTemplate(text, `Function "${target.name}"`) };
    });
  return (method, path) => {
    const segments = toSegments(path);
    for (const { target, template } of routes) {
      if (!target.methods.includes(method)) continue;
      const params = template.match(segments);
      if (params !== undefined) return { target, params };
    }
    return undefined;
  };
}

/** Decodes each segment by itself, so that an encoded slash stays inside its segment. A slash at the end is nothing. */
function toSegments(path: string): string[] {
  const segments = path.split('/').slice(1);
  if (segments.at(-1) === '') segments.pop();
  return segments.map((segment) => {
    try {
      return decodeURIComponent(segment);
    } catch {
      return segment;
    }
  });
}
