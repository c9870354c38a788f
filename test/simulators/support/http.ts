import { request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs?: number;
}

/** Plain HTTP without a library's opinions: 407 is a status like any other, the URL goes out as it is. */
export const send = ({ method, url, headers = {}, body = '', timeoutMs }: Sent): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname, port, pathname, search } = new URL(url);
    const raw = url.slice(url.indexOf(pathname, url.indexOf(port)));
    const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const options = {
      method,
      hostname,
      port,
      path: search === '' ? pathname : raw,
      headers: { ...headers, ...length },
      agent: false as const,
    };
    const call = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    if (timeoutMs !== undefined) call.setTimeout(timeoutMs, () => call.destroy(new Error('client timeout')));
    call.on('error', reject);
    call.end(body);
  });

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
