/** The built gateway sends its spans by OTLP, and passes a caller's trace on. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { endProcesses, READY, server } from '../support/process.js';
import { until } from '../support/wait.js';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

let collector: Server;
let received: Export[];
beforeEach(async () => {
  received = [];
  collector = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    received.push(JSON.parse(text) as Export);
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  endProcesses();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
});

const spans = (): Span[] =>
  received.flatMap(({ resourceSpans }) => resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((each) => each.spans)));
const attributeOf = ({ attributes }: Pick<Span, 'attributes'>, key: string): unknown =>
  Object.values(attributes.find((each) => each.key === key)?.value ?? {})[0];

it('has a span for each request and each call to a vendor, in the trace of the caller', async () => {
  const { port } = collector.address() as AddressInfo;
  const run = server({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_SERVICE_NAME: 'portal-gateway',
    OTEL_BSP_SCHEDULE_DELAY: '200',
  });
  const [, url] = await run.until(READY);
  const answer = await fetch(`${url}/clusters/demo-shanhe/users?limit=2&search=secret.search`, {
    headers: { traceparent: `00-${TRACE}-${PARENT}-01` },
  });
  expect(answer.status).toBe(200);
  await until(() => spans().some(({ kind }) => kind === 2) && spans().some(({ kind }) => kind === 3));
  const [request] = spans().filter(({ kind, traceId }) => kind === 2 && traceId === TRACE);
  expect(request).toMatchObject({ parentSpanId: PARENT, name: 'GET /clusters/{clusterId}/users' });
  expect(attributeOf(request as Span, 'http.route')).toBe('/clusters/{clusterId}/users');
  expect(Number(attributeOf(request as Span, 'http.response.status_code'))).toBe(200);
  const calls = spans().filter(({ kind, traceId }) => kind === 3 && traceId === TRACE);
  expect(calls.length).toBeGreaterThan(0);
  for (const call of calls) {
    expect(call.parentSpanId).toBe(request?.spanId);
    expect(attributeOf(call, 'server.address')).toBe('127.0.0.1');
    expect(attributeOf(call, 'hpc_gateway.vendor')).toBe('shanhe-hpc');
  }
  const [{ resourceSpans: [resource] = [] } = {}] = received;
  expect(attributeOf(resource?.resource ?? { attributes: [] }, 'service.name')).toBe('portal-gateway');
  // Neither queries nor URLs.
  expect(JSON.stringify(received)).not.toContain('secret.search');
  expect(JSON.stringify(received)).not.toMatch(/url\.full|url\.query|signature/i);
});
