import { type Request, type RequestHandler, Router } from 'express';
import swaggerUi from 'swagger-ui-express';
import { GatewayError } from '../../src/errors.js';
import { contextOf } from './context.js';
import { METHODS, type OpenApiDocument, type Parameter } from './document.js';
import { PROBLEM_TYPES } from './problem.js';
import { pagePolicy } from './security/browsers.js';

export interface DocsOptions {
  readonly enabled: boolean;
  /** Whether requests can be sent from the page. */
  readonly tryItOut: boolean;
}

/** The document with a cluster that is there, so that its requests work as they stand; with none where none is known. */
export const withExample = (document: OpenApiDocument, clusterId: string | undefined): OpenApiDocument => {
  const { parameters } = document.components as unknown as { parameters: Readonly<Record<string, Parameter>> };
  const given = parameters['ClusterId'] as Parameter;
  const { examples: _, ...schema } = given.schema as { readonly examples?: unknown };
  const parameter = clusterId === undefined ? { ...given, schema } : { ...given, example: clusterId };
  return { ...document, components: { ...document.components, parameters: { ...parameters, ClusterId: parameter } } as never };
};

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** A browser asks for HTML by name. */
const isBrowser = (request: Request): boolean => (request.get('accept') ?? '').includes('text/html');

/** Swagger UI below `/docs/`. It reads `/openapi.json` from the gateway itself; nothing is loaded from elsewhere. `/` leads there, and a program to the document. */
export const docs = ({ enabled, tryItOut }: DocsOptions): Router => {
  const router = Router({ strict: true });
  const options = {
    customSiteTitle: 'HPC Gateway',
    customCss: '',
    swaggerOptions: {
      // Whatever the path before it.
      url: '../openapi.json',
      tryItOutEnabled: tryItOut,
      supportedSubmitMethods: tryItOut ? METHODS : [],
      validatorUrl: null,
      displayRequestDuration: true,
    },
  };
  /** Made when somebody looks: most gateways are never looked at. */
  let page: RequestHandler | undefined;
  router.get('/', (request, response) => {
    response.redirect(contextOf(response).links.to(enabled && isBrowser(request) ? '/docs/' : '/openapi.json'));
  });
  router.all('/', ({ method }, response) => {
    response.set('Allow', 'GET, HEAD');
    throw new GatewayError(
      'method_not_allowed',
      `${method} is not a method of this path; it has GET, HEAD. See ${contextOf(response).links.to('/openapi.json')}.`,
    );
  });
  if (!enabled) return router;
  router.use('/docs', pagePolicy);
  router.get('/docs/', (request, response, next) => {
    page ??= swaggerUi.setup(undefined, options);
    page(request, response, next);
  });
  // The page that comes with Swagger UI loads a document of somebody else.
  router.get('/docs/index.html', (_, response) => response.redirect(contextOf(response).links.to('/docs/')));
  router.get('/docs/swagger-initializer.js', (_request, _response, next) => next('router'));
  // Files are read only; of its own package file, Swagger UI says in words of its own that there is none.
  router.use('/docs/', ({ method, path }, _, next) =>
    next(READS.has(method) && !path.endsWith('/package.json') ? undefined : 'router'),
  );
  router.use('/docs/', swaggerUi.serveFiles(undefined, options));
  return router;
};

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

/** The page that a problem's `type` leads to. */
export const problemPage = (code: string, hasDocs: boolean): string | undefined => {
  const problem = Object.hasOwn(PROBLEM_TYPES, code) ? PROBLEM_TYPES[code as keyof typeof PROBLEM_TYPES] : undefined;
  if (!problem) return undefined;
  const { title, status, help } = problem;
  const words = escapeHtml(help).replace(/`([^`]+)`/g, '<code>$1</code>');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escapeHtml(title)} · HPC Gateway</title>
<body style="font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem">
<h1>${escapeHtml(title)}</h1>
<p><code>${code}</code> · HTTP ${status}</p>
<p>${words}</p>
<p><a href="${hasDocs ? '../docs/' : '../openapi.json'}">API documentation</a></p>
</body>
</html>
`;
};
