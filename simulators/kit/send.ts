import type { ServerResponse } from 'node:http';
import type { Reply } from './types.js';

const start = (response: ServerResponse, reply: Reply, date: string | null) => {
  response.sendDate = false;
  const headers = { ...(date === null ? {} : { date }), 'content-type': reply.contentType, ...reply.headers };
  response.writeHead(reply.status, { ...headers, 'content-length': Buffer.byteLength(reply.body) });
};

export const send = (response: ServerResponse, reply: Reply, date: string | null): void => {
  if (response.destroyed) return;
  start(response, reply, date);
  // As text, Node would write the headers in the encoding of the body.
  response.end(Buffer.from(reply.body));
};

/** Sends the headers at once and the body byte by byte, so that no time-out for an idle connection fires. */
export const drip = async (
  response: ServerResponse,
  reply: Reply,
  date: string | null,
  pause: () => Promise<void>,
): Promise<void> => {
  if (response.destroyed) return;
  start(response, reply, date);
  response.flushHeaders();
  for (const byte of Buffer.from(reply.body)) {
    await pause();
    if (response.destroyed) return;
    response.write(Buffer.of(byte));
  }
  response.end();
};
