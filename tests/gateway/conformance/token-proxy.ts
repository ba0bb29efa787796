import { createServer, request as forward } from 'node:http';

export type TokenProxy = {
  readonly port: number;
  readonly url: string;
  /** Where requests go, and the token they get. */
  point(at: { readonly url: string; readonly token: string }): void;
  stop(): Promise<void>;
};

/** Adds a token to whatever passes; everything else, Host and Origin too, goes through as it came. */
export async function startTokenProxy(): Promise<TokenProxy> {
  let target = { url: '', token: '' };
  const server = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${target.token}` };
    const { method } = incoming;
    const onward = forward(new URL(incoming.url ?? '/', target.url), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port');
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    point: (at) => void (target = at),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
