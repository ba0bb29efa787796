import { createServer } from 'node:net';

/** Whether somebody listens there, or the system keeps it. */
export async function isFree(port: number, host: string): Promise<boolean> {
  return (await bind(port, host)) !== undefined;
}

/** The wanted port, or a free one when it is taken. Zero asks for any. */
export async function freePort(wanted: number, host: string): Promise<number> {
  const found = (await bind(wanted, host)) ?? (await bind(0, host));
  if (found === undefined) throw new Error(`No free port on ${host}`);
  return found;
}

/** Binds for a moment; undefined when that is not possible. */
function bind(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => resolve(bound));
    });
  });
}
