import { accessPaths } from './access-paths.ts';
import { accessSchemas } from './access-schemas.ts';
import { agentPaths } from './agent-paths.ts';
import { agentSchemas } from './agent-schemas.ts';
import { authorityPaths } from './authority-paths.ts';
import { authoritySchemas } from './authority-schemas.ts';
import { clusterPaths } from './cluster-paths.ts';
import { clusterSchemas } from './cluster-schemas.ts';
import { fleetSchemas } from './fleet-schemas.ts';
import { ocspPaths } from './ocsp-paths.ts';
import { problemResponses } from './operation.ts';
import { operatorPaths } from './operator-paths.ts';
import { revocationPaths } from './revocation-paths.ts';

/**
 * The whole API in OpenAPI 3.1. Written by hand, beside the code: a test walks the route table and this document side
 * by side, and every answer that the end-to-end tests see is held against it.
 * @param version of the program
 */
export function openApiDocument(version: string): Readonly<Record<string, unknown>> {
  return {
    openapi: '3.1.1',
    jsonSchemaDialect: 'https://spec.openapis.org/oas/3.1/dialect/base',
    info: {
      title: 'Everleaf',
      version,
      summary: "Keeps the credentials of a cluster platform's agents alive.",
      description:
        'Errors are problem details (RFC 9457) with a stable `code`. Every answer carries `x-correlation-id`. Instants are UTC to ' +
        'the whole second.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths: {
      ...agentPaths,
      ...revocationPaths,
      ...ocspPaths,
      ...operatorPaths,
      ...clusterPaths,
      ...authorityPaths,
      ...accessPaths,
    },
    components: {
      responses: problemResponses,
      schemas: { ...agentSchemas, ...fleetSchemas, ...clusterSchemas, ...authoritySchemas, ...accessSchemas },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'elt1_',
          description:
            "An identity's token, in the body or in the Authorization header, with or without Bearer.",
        },
        proof: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Everleaf-Proof',
          description:
            'A JWS by the key of a current certificate. Identities of type Admin open every operator route with it.',
        },
        operator: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'A token of the configured issuer (Entra ID in Azure); its roles and the access rules decide.',
        },
      },
    },
  };
}

/** The document as it is served, and as it stands in docs/openapi.json. */
export function openApiText(version: string): string {
  return `${JSON.stringify(openApiDocument(version), null, 2)}\n`;
}
