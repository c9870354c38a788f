/** An HTTP client that keeps all that it is answered: status line, headers and body. */
import { type IncomingHttpHeaders, request as send } from 'node:http';

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into JSON answers
  readonly body: any;
}

export interface Recorder {
  /** @returns undefined where the connection failed, as when the process is killed */
  send(method: string, path: string, sent?: Sent): Promise<Answer | undefined>;
  /** Everything that was answered, and by what. */
  text(): string;
  /** Methods and paths that were asked for, without queries, with the status of the answer. */
  readonly asked: ReadonlySet<string>;
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const createRecorder = (urlOf: () => string): Recorder => {
  const parts: string[] = [];
  const asked = new Set<string>();
  return {
    text: () => parts.join('\n'),
    asked,
    send: (method, path, { headers = {}, body } = {}) =>
      new Promise((resolve) => {
        const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
        const options = { method, headers: { ...headers, ...length }, agent: false as const };
        const outgoing = send(`${urlOf()}${path}`, options, (response) => {
          const chunks: Buffer[] = [];
          const end = (): void => {
            const text = Buffer.concat(chunks).toString();
            const status = response.statusCode ?? 0;
            // Unsent parts of our own path are no part of the answer; the answer is kept under a number.
            const head = `#${parts.length} ${method} ${status} ${response.statusMessage}`;
            parts.push(`${head}\n${response.rawHeaders.join('\n')}\n\n${text}\n`);
            asked.add(`${method} ${path.split('?')[0]} ${status}`);
            resolve({ status, headers: response.headers, text, body: parse(text) });
          };
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', end);
          response.on('error', end);
        });
        outgoing.on('error', () => resolve(undefined));
        outgoing.end(body);
      }),
  };
};
