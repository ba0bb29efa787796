import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Request = {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
};

/** A service on a free loopback port that answers as `answer` says and keeps what it was asked. */
export async function serveJson(answer: (request: Request) => { status?: number; body: unknown }) {
  const requests: Request[] = [];
  const server = createServer((incoming, outgoing) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    incoming.on('end', () => {
      // What a client under test sends is an object.
      const text = Buffer.concat(pieces).toString('utf8');
      const body = JSON.parse(text === '' ? '{}' : text) as Record<string, unknown>;
      const request = { path: incoming.url ?? '', headers: incoming.headers, body };
      requests.push(request);
      const { status = 200, body: reply } = answer(request);
      outgoing.writeHead(status, { 'content-type': 'application/json' });
      outgoing.end(typeof reply === 'string' ? reply : JSON.stringify(reply));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an address with one.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
