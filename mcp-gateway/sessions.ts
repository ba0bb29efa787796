import { createHash } from 'node:crypto';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Principal } from '../domain/principal.ts';

/** One MCP session: it belongs to one identity on one server, and to nobody else. */
export type Session = {
  readonly owner: string;
  readonly server: Server;
  readonly transport: StreamableHTTPServerTransport;
  /** Requests that are being answered, by JSON-RPC id, each with the promise of its end. */
  readonly answering: Map<string | number, Promise<void>>;
};

type Entry = Session & { lastUsedMs: number; open: number };

export type Sessions = {
  add(id: string, session: Session): void;
  /** Undefined when unknown, ended or another's: the three cannot be told apart. */
  find(id: string, owner: string): Session | undefined;
  /** Keeps a session alive while a request or stream of it is open. */
  hold(id: string): () => void;
  remove(id: string): void;
  readonly size: number;
  closeAll(): Promise<void>;
};

export type SessionTable = Sessions & {
  /** Ends sessions that nobody has used for the idle time. */
  sweep(): Promise<void>;
};

/** Whose session it is: (issuer, tenant, subject, actor, client) and the server it speaks with. */
export function ownerOf(principal: Principal, server: string): string {
  const { issuer, tenant, subject, actor, client } = principal;
  const parts = JSON.stringify([issuer, tenant, subject, actor ?? null, client ?? null, server]);
  return createHash('sha256').update(parts).digest('base64url');
}

export function sessionTable(idleSeconds: number, now: () => number = Date.now): SessionTable {
  const entries = new Map<string, Entry>();

  async function end(id: string): Promise<void> {
    const entry = entries.get(id);
    entries.delete(id);
    await entry?.server.close();
  }

  return {
    add(id, session) {
      entries.set(id, { ...session, lastUsedMs: now(), open: 0 });
    },
    find(id, owner) {
      const entry = entries.get(id);
      return entry?.owner === owner ? entry : undefined;
    },
    hold(id) {
      const entry = entries.get(id);
      if (entry === undefined) return () => undefined;
      entry.open += 1;
      entry.lastUsedMs = now();
      return () => {
        entry.open -= 1;
        entry.lastUsedMs = now();
      };
    },
    remove(id) {
      entries.delete(id);
    },
    get size() {
      return entries.size;
    },
    async sweep() {
      const oldest = now() - idleSeconds * 1000;
      const idle = [...entries].filter(([, entry]) => entry.open === 0 && entry.lastUsedMs < oldest);
      await Promise.all(idle.map(([id]) => end(id)));
    },
    async closeAll() {
      await Promise.all([...entries.keys()].map(end));
    },
  };
}
