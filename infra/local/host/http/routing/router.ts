import type { HttpFunction } from '../../triggers.ts';
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
 * HEAD on a GET function (WebScriptHostHttpRoutesManager.cs in azure-functions-host; its issues 10098 and 11625).
 * @throws Error for a route that the host itself answers, that two functions claim, or that is no route template
 */
export function createRouter(functions: readonly HttpFunction[], routePrefix: string): Router {
  const sorted = [...functions].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
  verifyRoutes(sorted, routePrefix);
  const routes = sorted.map((target) => {
    const text = routePrefix === '' ? target.route : `${routePrefix}/${target.route}`;
    return { target, template: new RouteTemplate(text, `Function "${target.name}"`) };
  });
  return (method, path) => {
    const decoded = decodePath(path);
    for (const { target, template } of routes) {
      if (!target.methods.includes(method)) continue;
      const params = template.match(decoded);
      if (params !== undefined) return { target, params };
    }
    return undefined;
  };
}

const trimmed = (route: string) => route.replace(/^\/+|\/+$/g, '').toLowerCase();

/**
 * Rules and words: ValidateFunction of src/WebJobs.Script/Host/ScriptHost.cs in azure-functions-host, where `admin` and
 * `runtime` are kept free whatever the prefix, also as the beginning of a word. `local` is this host's own.
 */
function verifyRoutes(functions: readonly HttpFunction[], routePrefix: string): void {
  functions.forEach(({ name, route, methods }, at) => {
    const isLocal = routePrefix === '' && /^local(\/|$)/.test(trimmed(route));
    if (/^(admin|runtime)/.test(trimmed(route)) || isLocal) {
      throw new Error(
        `Function "${name}": The specified route conflicts with one or more built in routes: "${route}" (admin, runtime and local are the host's).`,
      );
    }
    const rival = functions
      .slice(0, at)
      .find(
        (other) =>
          trimmed(other.route) === trimmed(route) && other.methods.some((method) => methods.includes(method)),
      );
    if (rival !== undefined) {
      throw new Error(
        `Function "${name}": The route specified conflicts with the route defined by function '${rival.name}'.`,
      );
    }
  });
}

/**
 * The path as Kestrel hands it to the routes: percent-decoded but for the slash, whose code stays as it was sent
 * (https://learn.microsoft.com/dotnet/api/microsoft.aspnetcore.http.httprequest.path). What is not UTF-8 stays too.
 */
function decodePath(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    run
      .split(/(%2f)/i)
      .map((part) => (/^%2f$/i.test(part) ? part : decodeOrKeep(part)))
      .join(''),
  );
}

function decodeOrKeep(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
