/**
 * Spans for OpenTelemetry, where its standard variables ask for them: one for each request, and one for each call to a vendor. They are made of the
 * core's events, and follow the conventions for HTTP (https://opentelemetry.io/docs/specs/semconv/http/http-spans/), without URLs and queries.
 */
import type { Logger } from 'pino';
import type { Events } from './events.js';
import type { Trace } from './trace.js';

export interface Tracing {
  /** Sends what was recorded. */
  stop(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
export const isTracingAsked = (env: Environment): boolean => {
  const { OTEL_SDK_DISABLED: disabled, OTEL_TRACES_EXPORTER: exporter } = env;
  if (disabled?.toLowerCase() === 'true' || exporter === 'none') return false;
  const hasEndpoint = Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);
  return hasEndpoint || exporter === 'otlp' || exporter === 'console';
};

const STOP_MS = 5_000;
const ERROR_FROM = 500;

/** Loads the SDK, which a gateway without traces does not need. */
export const startTracing = async (events: Events, version: string, env: Environment, log: Logger): Promise<Tracing> => {
  const [{ context, SpanKind, SpanStatusCode, TraceFlags, trace: api }, sdk, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/resources'),
  ]);
  const exporter =
    env['OTEL_TRACES_EXPORTER'] === 'console'
      ? new sdk.ConsoleSpanExporter()
      : new (await import('@opentelemetry/exporter-trace-otlp-http')).OTLPTraceExporter();
  const given = Object.fromEntries(
    (env['OTEL_RESOURCE_ATTRIBUTES'] ?? '')
      .split(',')
      .map((pair) => pair.split('='))
      .filter(([name, value]) => name && value)
      .map(([name = '', value = '']) => [name.trim(), decodeURIComponent(value.trim())]),
  );
  /** The ids of the span that is about to be made. */
  let next = { traceId: '', spanId: '' };
  const provider = new sdk.BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': env['OTEL_SERVICE_NAME'] || given['service.name'] || 'hpc-gateway',
      'service.version': version,
      ...given,
    }),
    idGenerator: { generateTraceId: () => next.traceId, generateSpanId: () => next.spanId },
    spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('hpc-gateway', version);

  const record = (
    { traceId, spanId, parentId, isSampled }: Trace,
    name: string,
    kind: (typeof SpanKind)[keyof typeof SpanKind],
    durationMs: number,
    attributes: Readonly<Record<string, string | number | undefined>>,
    failure: string | undefined,
  ): void => {
    const endTime = Date.now();
    next = { traceId, spanId };
    const parent = parentId && {
      traceId,
      spanId: parentId,
      traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
      isRemote: true,
    };
    const around = parent ? api.setSpanContext(context.active(), parent) : context.active();
    const span = tracer.startSpan(name, { kind, attributes, startTime: endTime - durationMs }, around);
    if (failure !== undefined) span.setAttribute('error.type', failure).setStatus({ code: SpanStatusCode.ERROR });
    span.end(endTime);
  };

  events.on('request', ({ trace, method, route, operation, status, durationMs }) => {
    if (!trace) return;
    const attributes = {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': status,
      'hpc_gateway.operation': operation,
    };
    const name = route === undefined ? method : `${method} ${route}`;
    record(trace, name, SpanKind.SERVER, durationMs, attributes, status >= ERROR_FROM ? String(status) : undefined);
  });
  events.on('vendorCall', ({ trace, http, account, vendor, action, attempt, outcome, durationMs }) => {
    if (!trace) return;
    const attributes = {
      'http.request.method': http?.method,
      'server.address': http?.host,
      'server.port': http?.port,
      'http.response.status_code': http?.status,
      'http.request.resend_count': attempt > 1 ? attempt - 1 : undefined,
      'hpc_gateway.vendor': vendor,
      'hpc_gateway.account': account,
      'hpc_gateway.action': action,
    };
    record(trace, `${vendor} ${action}`, SpanKind.CLIENT, durationMs, attributes, outcome === 'ok' ? undefined : outcome);
  });
  log.info('traces are recorded, as the variables OTEL_… ask');

  return {
    stop: async () => {
      const patience = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), patience]);
    },
  };
};
