/** A proxy that may repeat the login that it was sent, in its refusal or in place of the vendor behind it. */
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

export type Manner = 'pass' | 'refuse' | 'answer';

export interface Tunnels {
  readonly port: number;
  manner: Manner;
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
  const tunnels = {
    port: 0,
    manner: 'pass' as Manner,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  server.on('connect', ({ url, headers }, client) => {
    client.on('error', () => client.destroy());
    const words = repeated(headers['proxy-authorization'] ?? '');
    if (tunnels.manner === 'refuse') {
      client.end(`HTTP/1.1 407 No ${words}\r\nX-Login: ${words}\r\nContent-Length: ${words.length}\r\n\r\n${words}`);
      return;
    }
    if (tunnels.manner === 'answer') {
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
