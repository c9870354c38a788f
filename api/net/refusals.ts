/** What Node's own parser refuses, before there is a request: answered like all other errors. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { GatewayError } from '../../src/errors.js';
import { fixedLinks } from '../rest/base.js';
import { renderProblem } from '../rest/problem.js';
import { endSoon } from './ending.js';

const errorOf = ({ code }: NodeJS.ErrnoException): GatewayError => {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new GatewayError('headers_too_large', 'The URL and the headers of the request are over 16 KiB together.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new GatewayError('request_timeout', 'The request did not arrive in time.', { retryable: true });
    default:
      return new GatewayError('invalid_request', 'The request is not valid HTTP/1.1.');
  }
};

/** Ends a connection with the answer, where one can still be written. */
export const refuseConnection = (
  failure: NodeJS.ErrnoException,
  socket: Socket,
  hasAnswered: boolean,
  publicUrl: string | undefined,
): void => {
  if (!socket.writable || hasAnswered || failure.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const requestId = randomUUID();
  const { status, headers, body } = renderProblem(errorOf(failure), { instance: '/', requestId, links: fixedLinks(publicUrl) });
  const fields = {
    ...headers,
    'Content-Length': String(Buffer.byteLength(body ?? '')),
    'X-Request-Id': requestId,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    Connection: 'close',
  };
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
  ];
  endSoon(socket, `${head.join('\r\n')}\r\n\r\n${body}`);
};
