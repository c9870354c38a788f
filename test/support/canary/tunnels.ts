/** A proxy that may repeat the login that it was sent, in its refusal or in place of the vendor behind it. */
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

export type Manner = 'pass' | 'refuse' | 'answer';

export interface Tunnels {
  readonly port: number;
  /** From now on; tunnels that are open are closed. */
  become(manner: Manner): void;
  close(): Promise<void>;
}

/** The login as it came, and as it was meant. */
const repeated = (login: string): string => {
  const plain = Buffer.from(login.replace(/^Basic /, ''), 'base64').toString();
  const [, password = ''] = plain.split(':');
  return `${login} ${plain} ${password}`;
};

export const startTunnels = async (): Promise<Tunnels> => {
  const server = createServer();
  let manner: Manner = 'pass';
  const clients = new Set<Duplex>();
  const tunnels = {
    port: 0,
    become: (next: Manner) => {
      manner = next;
      for (const client of clients) client.destroy();
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  server.on('connect', ({ url, headers }, client) => {
    clients.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => clients.delete(client));
    const words = repeated(headers['proxy-authorization'] ?? '');
    if (manner === 'refuse') {
      client.end(`HTTP/1.1 407 No ${words}\r\nX-Login: ${words}\r\nContent-Length: ${words.length}\r\n\r\n${words}`);
      return;
    }
    if (manner === 'answer') {
      const body = JSON.stringify({ ret_code: 1101, message: `proxy says ${words}`, cluster_name: words });
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.once('data', () =>
        client.end(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
      );
      return;
    }
    const [host, port] = String(url).split(':');
    const vendor = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      vendor.pipe(client).pipe(vendor);
    });
    vendor.on('error', () => client.destroy());
    client.on('close', () => vendor.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  tunnels.port = (server.address() as AddressInfo).port;
  return tunnels;
};
