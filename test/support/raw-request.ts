/** Requests as they are written, which no client would send. */
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** By name in lower case; those that are there more than once are joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const MAX_BYTES = 4 * 1_048_576;

const parse = (text: string): RawAnswer => {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
    const key = name.toLowerCase();
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
  }
  return { status: Number(statusLine.split(' ')[1]), headers, text: text.slice(end + 4) };
};

/** Sends these lines, an empty one and the body; the connection is closed by the answer. `Host` is not added. */
export const sendRaw = (url: string, lines: readonly string[], body = ''): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const chunks: Buffer[] = [];
    let bytes = 0;
    const socket = connect(Number(port), hostname, () => {
      const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
      socket.write(`${[...lines, ...length, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`, 'latin1');
    });
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) socket.destroy(new Error('the answer is too long'));
      else chunks.push(chunk);
    });
    socket.once('error', (error) => (chunks.length > 0 ? resolve(parse(Buffer.concat(chunks).toString())) : reject(error)));
    socket.once('end', () => resolve(parse(Buffer.concat(chunks).toString())));
  });

export const bodyOf = ({ text }: RawAnswer): { readonly code?: string; readonly detail?: string } => {
  try {
    return JSON.parse(text) as { code?: string; detail?: string };
  } catch {
    return {};
  }
};
