import { readFileSync } from 'node:fs';
import { asGatewayError, GatewayError } from '../../../src/errors.js';
import { didYouMean } from '../../../src/nearest.js';
import { projectFile } from '../../../src/project.js';
import type { Store } from '../../../src/store/store.js';
import type { Metrics } from '../../../src/telemetry/metrics.js';
import { problemPage } from '../docs.js';
import type { OpenApiDocument } from '../document.js';
import type { Handlers } from '../operations.js';
import { PROBLEM_TYPES } from '../problem.js';
import { PLAIN_PAGE_POLICY } from '../security/browsers.js';

type ServiceOperation =
  | 'getOpenApiYaml'
  | 'getOpenApi30'
  | 'getHealth'
  | 'getReadiness'
  | 'getMetrics'
  | 'getOpenApi'
  | 'getDocs'
  | 'getProblemType';

export interface ServiceDeps {
  readonly document: OpenApiDocument;
  readonly metrics: Metrics;
  readonly store: Store;
  readonly isStopping: () => boolean;
  readonly isDemo: boolean;
  readonly hasDocs: boolean;
  /** Whether strangers may ask: they get no reasons, which name folders, hosts and processes. */
  readonly isOpen: boolean;
}

/** A file of the build, read when somebody asks for it first. */
const lazily = <T>(path: string, read: (text: string) => T): (() => T) => {
  let content: { readonly value: T } | undefined;
  return () => {
    content ??= { value: read(readFileSync(projectFile(path), 'utf8')) };
    return content.value;
  };
};

const servedAt = (url: string, document: OpenApiDocument) => ({
  ...document,
  servers: document.servers.map((server) => ({ ...server, url: url || server.url })),
});

/** One answer for all who ask meanwhile: each would write, and strangers may ask. */
const together = (work: () => Promise<void>): (() => Promise<void>) => {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
};

export const serviceHandlers = ({
  document,
  metrics,
  store,
  isStopping,
  isDemo,
  hasDocs,
  isOpen,
}: ServiceDeps): Pick<Handlers, ServiceOperation> => {
  const written = lazily('dist/openapi.yaml', (text) => text);
  const twin = lazily('dist/openapi-3.0.json', (text) => JSON.parse(text) as OpenApiDocument);
  const checkStore = together(() => store.check());
  return {
    getHealth: () => ({ status: 200, body: { status: 'ok' } }),

    getReadiness: async ({ query }) => {
      if (isStopping()) throw new GatewayError('shutting_down', 'The gateway is stopping.');
      if (query.exclude !== 'store')
        await checkStore().catch((thrown: unknown) => {
          const error = asGatewayError(thrown);
          throw isOpen ? error.withMessage('The store of the gateway is not available. The log has the reason.') : error;
        });
      return { status: 200, body: { status: 'ok', ...(isDemo && { demo: true }) } };
    },

    getMetrics: async () => ({ status: 200, type: metrics.type, body: await metrics.text() }),

    getOpenApiYaml: () => ({ status: 200, type: 'application/yaml', body: written() }),

    getOpenApi30: ({ links }) => ({ status: 200, body: servedAt(links.url(''), twin()) }),

    getOpenApi: ({ links }) => ({ status: 200, body: servedAt(links.url(''), document) }),

    getDocs: ({ links }) => {
      if (!hasDocs) throw new GatewayError('not_found', `The documentation is switched off. See ${links.to('/openapi.json')}.`);
      return { status: 302, headers: { Location: links.to('/docs/') } };
    },

    getProblemType: ({ params }) => {
      const page = problemPage(params.code, hasDocs);
      if (page === undefined)
        throw new GatewayError(
          'not_found',
          `There is no problem ${params.code}.${didYouMean(params.code, Object.keys(PROBLEM_TYPES))}`,
        );
      return { status: 200, type: 'text/html', headers: { 'Content-Security-Policy': PLAIN_PAGE_POLICY }, body: page };
    },
  };
};
