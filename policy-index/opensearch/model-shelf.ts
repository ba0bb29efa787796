import { ANY, MODEL_PARTS } from './answers.ts';
import { ServerRefusal, type Connection } from './connection.ts';

/** One index for the models of all builds, in pieces well below what one request may hold. */
const SHELF = 'countersign-policy-models';
const PART_BYTES = 4 * 1024 * 1024;
const MOST_PARTS = 1000;

/** Keeps what an embedder fitted to a build needs to read questions (see `EmbedderChoice`). */
export function modelShelf(server: Connection) {
  async function keep(build: string, model: Uint8Array): Promise<void> {
    await create();
    const parts = Math.max(1, Math.ceil(model.length / PART_BYTES));
    for (let part = 0; part < parts; part += 1) {
      const piece = model.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
      const body = { build, part, parts, data: Buffer.from(piece).toString('base64') };
      await server.build(ANY, {
        method: 'PUT',
        path: `/${SHELF}/_doc/${build}:${part}`,
        query: { refresh: 'true' },
        body,
      });
    }
  }

  async function create(): Promise<void> {
    const mappings = {
      dynamic: 'strict',
      properties: {
        build: { type: 'keyword' },
        part: { type: 'integer' },
        parts: { type: 'integer' },
        data: { type: 'binary' },
      },
    };
    try {
      const settings = { number_of_shards: 1, auto_expand_replicas: '0-1' };
      await server.build(ANY, { method: 'PUT', path: `/${SHELF}`, body: { settings, mappings } });
    } catch (error) {
      if (!(error instanceof ServerRefusal) || error.type !== 'resource_already_exists_exception')
        throw error;
    }
  }

  async function read(build: string): Promise<Uint8Array | undefined> {
    const pieces: Buffer[] = [];
    try {
      for (let part = 0; part < MOST_PARTS; part += 1) {
        const answer = await server.build(MODEL_PARTS, {
          method: 'POST',
          path: `/${SHELF}/_search`,
          body: { size: 1, query: { bool: { filter: [{ term: { build } }, { term: { part } }] } } },
        });
        const found = answer.hits.hits[0]?._source;
        if (!found) return undefined;
        pieces.push(Buffer.from(found.data, 'base64'));
        if (pieces.length === found.parts) break;
      }
    } catch (error) {
      if (error instanceof ServerRefusal && error.status === 404) return undefined;
      throw error;
    }
    return Buffer.concat(pieces);
  }

  async function drop(build: string): Promise<void> {
    await server.build(ANY, {
      method: 'POST',
      path: `/${SHELF}/_delete_by_query`,
      query: { ignore_unavailable: 'true', refresh: 'true' },
      body: { query: { term: { build } } },
    });
  }

  return { keep, read, drop };
}
