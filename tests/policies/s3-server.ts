import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

type Kept = { readonly id: string; readonly at: string; readonly bytes: Buffer | undefined };

/** As many rows as a page of the listing has: few, so that every test sees several. */
const PAGE = 3;

/**
 * As much of S3 as reading a versioned bucket asks for: PutObject, DeleteObject (a marker), GetObject with a version
 * id, ListObjectVersions with pages. It holds one bucket and looks at no signature.
 */
export async function startS3(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const keys = new Map<string, Kept[]>();
  const server = createServer((request, response) => {
    void answer(keys, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  keys: Map<string, Kept[]>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://s3');
  const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'));
  const versions = keys.get(key) ?? [];
  const body = await buffer(Readable.from(request));
  if (key === '') {
    if (request.method === 'GET') xml(response, 200, listing(keys, url.searchParams));
    else response.writeHead(200).end();
    return;
  }
  if (request.method === 'GET') return get(versions, url.searchParams.get('versionId'), response);
  const kept: Kept = {
    id: createHash('sha256').update(`${key} ${versions.length}`).digest('base64url').slice(0, 32),
    at: new Date().toISOString(),
    bytes: request.method === 'PUT' ? body : undefined,
  };
  keys.set(key, [kept, ...versions]);
  response.writeHead(request.method === 'PUT' ? 200 : 204, { 'x-amz-version-id': kept.id }).end();
}

function get(versions: readonly Kept[], id: string | null, response: ServerResponse): void {
  const found = id === null ? versions[0] : versions.find((one) => one.id === id);
  if (found?.bytes === undefined)
    return xml(response, 404, `<Error><Code>${id === null ? 'NoSuchKey' : 'NoSuchVersion'}</Code></Error>`);
  response.writeHead(200, { 'content-length': found.bytes.length, 'x-amz-version-id': found.id });
  response.end(found.bytes);
}

function listing(keys: ReadonlyMap<string, readonly Kept[]>, asked: URLSearchParams): string {
  const prefix = asked.get('prefix') ?? '';
  const rows = [...keys]
    .filter(([key]) => key.startsWith(prefix))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, kept]) => kept.map((one, index) => ({ key, one, isLatest: index === 0 })));
  const after = asked.get('version-id-marker');
  const from = after === null ? 0 : rows.findIndex(({ one }) => one.id === after) + 1;
  const page = rows.slice(from, from + PAGE);
  const last = page.at(-1);
  const more = from + PAGE < rows.length && last !== undefined;
  const shown = page.map(({ key, one, isLatest }) => {
    const name = one.bytes === undefined ? 'DeleteMarker' : 'Version';
    const size = one.bytes === undefined ? '' : `<Size>${one.bytes.length}</Size>`;
    return `<${name}><Key>${escaped(key)}</Key><VersionId>${one.id}</VersionId><IsLatest>${isLatest}</IsLatest><LastModified>${one.at}</LastModified>${size}</${name}>`;
  });
  const next = more
    ? `<NextKeyMarker>${escaped(last.key)}</NextKeyMarker><NextVersionIdMarker>${last.one.id}</NextVersionIdMarker>`
    : '';
  return `<ListVersionsResult><IsTruncated>${more}</IsTruncated>${next}${shown.join('')}</ListVersionsResult>`;
}

function xml(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
