import {
  GetObjectCommand,
  ListObjectVersionsCommand,
  S3Client,
  S3ServiceException,
  type ListObjectVersionsCommandOutput,
  type ObjectVersion,
} from '@aws-sdk/client-s3';
import { PolicySourceError, type PolicySource, type StoredVersion } from '../../domain/policy-source.ts';

export type Bucket = {
  readonly name: string;
  /** Keys begin with it, and are told without it. Empty: the whole bucket. */
  readonly prefix: string;
  readonly region: string;
  /** For a server other than AWS; path-style addresses are used then. */
  readonly endpoint?: string | undefined;
  /** Left out: what the AWS SDK finds in the environment of the process. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
};

/** More than this is listed and never loaded. */
const MOST_BYTES = 1024 * 1024;
const REQUEST_MS = 5_000;

/** An S3-compatible bucket with object versions switched on. */
export function bucketSource(bucket: Bucket): PolicySource {
  const client = new S3Client({
    region: bucket.region,
    ...(bucket.endpoint === undefined ? {} : { endpoint: bucket.endpoint, forcePathStyle: true }),
    ...(bucket.credentials === undefined ? {} : { credentials: bucket.credentials }),
    maxAttempts: 3,
    requestHandler: { connectionTimeout: REQUEST_MS, requestTimeout: REQUEST_MS },
  });
  return {
    description: `bucket s3://${bucket.name}/${bucket.prefix}`,
    versions: () => asked(bucket, () => list(client, bucket)),
    read: (version) => asked(bucket, () => read(client, bucket, version)),
    close: async () => client.destroy(),
  };
}

async function list(client: S3Client, { name, prefix }: Bucket): Promise<readonly StoredVersion[]> {
  const found: StoredVersion[] = [];
  let page: ListObjectVersionsCommandOutput | undefined;
  do {
    page = await client.send(
      new ListObjectVersionsCommand({
        Bucket: name,
        Prefix: prefix,
        KeyMarker: page?.NextKeyMarker,
        VersionIdMarker: page?.NextVersionIdMarker,
      }),
    );
    // Within a key the newest comes first, and two of one second are told apart by nothing else.
    for (const version of page.Versions ?? []) found.push(toVersion(version, prefix));
  } while (page.IsTruncated === true);
  return found
    .filter(({ key }) => key.endsWith('.md'))
    .reverse()
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** A bucket without versions says `null` as a version's id: its old texts are lost, and nothing could be verified. */
function toVersion(
  { Key, VersionId, LastModified, Size, IsLatest }: ObjectVersion,
  prefix: string,
): StoredVersion {
  if (Key === undefined || LastModified === undefined || Size === undefined || VersionId === undefined)
    throw new PolicySourceError('The bucket lists a version without key, id, date or size.');
  if (VersionId === 'null')
    throw new PolicySourceError(
      'The bucket holds objects without versions; switch versioning on and store them again.',
    );
  return {
    key: Key.slice(prefix.length),
    versionId: VersionId,
    storedAt: LastModified.toISOString(),
    bytes: Size,
    isLatest: IsLatest === true,
  };
}

async function read(
  client: S3Client,
  { name, prefix }: Bucket,
  { key, versionId }: Pick<StoredVersion, 'key' | 'versionId'>,
): Promise<Uint8Array | undefined> {
  try {
    const { Body, ContentLength } = await client.send(
      new GetObjectCommand({ Bucket: name, Key: `${prefix}${key}`, VersionId: versionId }),
    );
    if (Body === undefined || (ContentLength ?? 0) > MOST_BYTES) return undefined;
    return await Body.transformToByteArray();
  } catch (error) {
    if (error instanceof S3ServiceException && isGone(error)) return undefined;
    throw error;
  }
}

/** A deleted version, a deleted key, or an id that no version has. */
function isGone({ name, $metadata }: S3ServiceException): boolean {
  if (name === 'NoSuchBucket') return false;
  return $metadata.httpStatusCode === 404 || (name === 'InvalidArgument' && $metadata.httpStatusCode === 400);
}

async function asked<T>(bucket: Bucket, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PolicySourceError) throw error;
    const name = error instanceof Error ? error.name : 'unknown error';
    throw new PolicySourceError(`The policy bucket ${bucket.name} cannot be read: ${name}`, { cause: error });
  }
}
