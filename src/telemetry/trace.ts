/** Traces of requests, in the terms of W3C Trace Context (https://www.w3.org/TR/trace-context/): ours go on in the caller's, and vendors get them. */
import { randomBytes } from 'node:crypto';

export interface Trace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Of the present span; 16 hexadecimal digits. */
  readonly spanId: string;
  /** Of the span that it belongs to, where there is one. */
  readonly parentId: string | undefined;
  /** Whether the caller, or we, record it. */
  readonly isSampled: boolean;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const NOTHING = /^0+$/;
const TRACE_BYTES = 16;
const SPAN_BYTES = 8;

const newSpanId = (): string => randomBytes(SPAN_BYTES).toString('hex');

/** The trace that a caller's `traceparent` names, with a span of ours; undefined where it is none. */
export const continued = (traceparent: string | undefined): Trace | undefined => {
  const [, traceId = '', parentId = '', flags = ''] = TRACEPARENT.exec(traceparent?.trim() ?? '') ?? [];
  if (traceId === '' || NOTHING.test(traceId) || NOTHING.test(parentId)) return undefined;
  return { traceId, spanId: newSpanId(), parentId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
};

export const begun = (): Trace => ({
  traceId: randomBytes(TRACE_BYTES).toString('hex'),
  spanId: newSpanId(),
  parentId: undefined,
  isSampled: true,
});

export const childOf = ({ traceId, spanId, isSampled }: Trace): Trace => ({
  traceId,
  spanId: newSpanId(),
  parentId: spanId,
  isSampled,
});

export const traceparentOf = ({ traceId, spanId, isSampled }: Trace): string =>
  `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;

export interface Traces {
  /** The trace of a request that begins; undefined where neither its caller nor we want one. */
  begin(requestId: string, traceparent: string | undefined): Trace | undefined;
  /** That of a request of ours, also after its answer: a write goes on. */
  of(requestId: string): Trace | undefined;
}

/** More are forgotten; what is called for them later begins no trace. */
const MAX_TRACES = 10_000;

/** @param isRecording whether all requests get one, or those only whose callers send one */
export const createTraces = (isRecording: boolean): Traces => {
  const traces = new Map<string, Trace>();
  return {
    begin: (requestId, traceparent) => {
      const trace = continued(traceparent) ?? (isRecording ? begun() : undefined);
      if (!trace) return undefined;
      traces.set(requestId, trace);
      if (traces.size > MAX_TRACES) traces.delete(traces.keys().next().value as string);
      return trace;
    },
    of: (requestId) => traces.get(requestId),
  };
};
