import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { PolicySource } from '../../domain/policy-source.ts';
import { bucketSource } from '../../policy-index/sources/bucket.ts';
import { folderSource } from '../../policy-index/sources/folder.ts';
import { startS3 } from './s3-server.ts';

/** A source, and an author who publishes to it. */
export type Published = {
  readonly source: PolicySource;
  put(key: string, content: string | Uint8Array): Promise<void>;
  remove(key: string): Promise<void>;
  /** Makes what lies behind the source unreachable. */
  cut(): Promise<void>;
  close(): Promise<void>;
};

export async function publishedFolder(): Promise<
  Published & { readonly folder: string; readonly history: string }
> {
  const home = await mkdtemp(join(tmpdir(), 'policies-'));
  const folder = join(home, 'documents');
  await mkdir(folder);
  const history = join(home, 'history');
  const source = folderSource(folder, history);
  return {
    source,
    folder,
    history,
    put: async (key, content) => {
      await mkdir(dirname(join(folder, key)), { recursive: true });
      await writeFile(join(folder, key), content);
      // An author edits after a listing has seen the last text: files keep no history of their own.
      await source.versions();
    },
    remove: (key) => rm(join(folder, key)),
    cut: () => rm(folder, { recursive: true }),
    close: () => rm(home, { recursive: true, force: true }),
  };
}

/** On the server at `TEST_S3_URL`, or on a stand-in. */
export async function publishedBucket(): Promise<Published> {
  const own = process.env['TEST_S3_URL'] === undefined ? await startS3() : undefined;
  const endpoint = own?.url ?? process.env['TEST_S3_URL'] ?? '';
  const place = {
    name: `policies-${randomUUID()}`,
    prefix: 'published/',
    region: 'ap-northeast-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const author = new S3Client({ ...place, endpoint, forcePathStyle: true });
  await author.send(
    new CreateBucketCommand({
      Bucket: place.name,
      CreateBucketConfiguration: { LocationConstraint: 'ap-northeast-1' },
    }),
  );
  await author.send(
    new PutBucketVersioningCommand({ Bucket: place.name, VersioningConfiguration: { Status: 'Enabled' } }),
  );
  let source = bucketSource({ ...place, endpoint });
  const key = (name: string) => ({ Bucket: place.name, Key: `${place.prefix}${name}` });
  return {
    get source() {
      return source;
    },
    put: async (name, content) =>
      void (await author.send(new PutObjectCommand({ ...key(name), Body: content }))),
    remove: async (name) => void (await author.send(new DeleteObjectCommand(key(name)))),
    cut: async () => {
      await source.close();
      // The discard port: nobody listens there.
      source = bucketSource({ ...place, endpoint: 'http://127.0.0.1:9' });
    },
    close: async () => {
      author.destroy();
      await source.close();
      await own?.stop();
    },
  };
}

/** A policy in Markdown; what is given replaces a field of its front matter, `undefined` leaves it out. */
export function policy(text: string, fields: Readonly<Record<string, string | undefined>> = {}): string {
  const front = Object.entries({
    id: 'returns',
    title: 'Returns',
    url: 'https://mangado.example/policies/returns',
    kind: 'returns',
    effective_from: '2026-04-01',
    audience: 'customer',
    tenant: 'manga',
    language: 'en',
    ...fields,
  }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `---\n${front.join('\n')}\n---\n\n${text}\n`;
}
