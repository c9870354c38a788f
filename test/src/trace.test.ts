/** Traces by W3C Trace Context: https://www.w3.org/TR/trace-context/ */
import { describe, expect, it } from '@jest/globals';
import { begun, childOf, continued, createTraces, traceparentOf } from '../../src/telemetry/trace.js';
import { isTracingAsked } from '../../src/telemetry/tracing.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const PARENT = `00-${TRACE}-${SPAN}-01`;

describe('a traceparent', () => {
  it('is continued with a span of ours', () => {
    const trace = continued(PARENT);
    expect(trace).toMatchObject({ traceId: TRACE, parentId: SPAN, isSampled: true });
    expect(trace?.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(trace?.spanId).not.toBe(SPAN);
    expect(continued(`00-${TRACE}-${SPAN}-00`)?.isSampled).toBe(false);
    // A later version may say more.
    expect(continued(`01-${TRACE}-${SPAN}-01-more`)?.traceId).toBe(TRACE);
  });

  it.each([
    undefined,
    '',
    'nonsense',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01\r\nx: y`,
  ])('that is none begins no trace: %s', (given) => {
    expect(continued(given)).toBeUndefined();
    expect(createTraces(false).begin('r', given)).toBeUndefined();
    expect(createTraces(true).begin('r', given)?.parentId).toBeUndefined();
  });

  it('of a call names its own span', () => {
    const trace = begun();
    const child = childOf(trace);
    expect(child).toMatchObject({ traceId: trace.traceId, parentId: trace.spanId });
    expect(traceparentOf(child)).toBe(`00-${trace.traceId}-${child.spanId}-01`);
  });
});

it('traces are known by their request for a while, and not without end', () => {
  const traces = createTraces(true);
  const first = traces.begin('r0', PARENT);
  expect(traces.of('r0')).toBe(first);
  for (let count = 1; count <= 10_000; count++) traces.begin(`r${count}`, PARENT);
  expect(traces.of('r0')).toBeUndefined();
  expect(traces.of('r10000')).toBeDefined();
});

it.each([
  [{}, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' }, true],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://localhost:4318/v1/traces' }, true],
  [{ OTEL_TRACES_EXPORTER: 'otlp' }, true],
  [{ OTEL_TRACES_EXPORTER: 'console' }, true],
  [{ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' }, false],
  [{ OTEL_SDK_DISABLED: 'true', OTEL_TRACES_EXPORTER: 'otlp' }, false],
])('the variables %j ask for traces: %s', (env, asked) => {
  expect(isTracingAsked(env)).toBe(asked);
});
