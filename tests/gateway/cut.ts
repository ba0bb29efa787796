import { type Socket, connect, createServer } from 'node:net';

/** A wire to a server that can be cut and mended. */
export type Cut = {
  readonly port: number;
  /** From now on, as if the server were gone: connections end, new ones are refused. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
};

export async function cuttable(host: string, port: number): Promise<Cut> {
  let isCut = false;
  const open = new Set<Socket>();
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(port, host);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const drop = () => open.forEach((socket) => socket.destroy());
  return {
    port: address.port,
    cut() {
      isCut = true;
      drop();
    },
    mend: () => void (isCut = false),
    async close() {
      drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
