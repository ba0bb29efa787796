import { join, resolve } from 'node:path';
import { z } from 'zod';
import { awsRegion, httpUrl } from './config-values.ts';

/** Where policies are published, and how long what they replace is kept. */
export type PolicySettings = {
  readonly source:
    | { readonly kind: 'folder'; readonly folder: string }
    | {
        readonly kind: 'bucket';
        readonly name: string;
        readonly prefix: string;
        readonly region: string;
        readonly endpoint: string | undefined;
      };
  /** Absolute path: the embedded index, and what a folder of policies said before. */
  readonly indexFolder: string;
  readonly historyFolder: string;
  readonly syncSeconds: number;
  readonly supersededSeconds: number;
};

const BUCKET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/;
const DEMO_FOLDER = join(import.meta.dirname, '../policy-index/documents');

const seconds = (most: number) =>
  z.coerce
    .number('allowed: a whole number of seconds')
    .int('allowed: a whole number of seconds')
    .min(1, 'allowed: at least 1')
    .max(most, `allowed: at most ${most}`);

export const POLICY_VARIABLES = {
  POLICY_FOLDER: z.string().min(1).optional(),
  POLICY_BUCKET: z.string().regex(BUCKET, 'allowed: s3://bucket or s3://bucket/prefix/').optional(),
  POLICY_BUCKET_REGION: awsRegion.optional(),
  POLICY_BUCKET_ENDPOINT: httpUrl.optional(),
  // A text may be quoted for 24 hours after its source was seen: looked at less often, it would come and go.
  POLICY_SYNC_SECONDS: seconds(43_200).default(3_600),
  POLICY_SUPERSEDED_SECONDS: seconds(86_400).default(86_400),
};

type Variables = z.output<z.ZodObject<typeof POLICY_VARIABLES>>;

export function policyRules(v: Variables): readonly (readonly [boolean, string])[] {
  return [
    [
      v.POLICY_FOLDER !== undefined && v.POLICY_BUCKET !== undefined,
      'POLICY_FOLDER and POLICY_BUCKET: policies come from one of the two',
    ],
    [
      v.POLICY_BUCKET !== undefined && v.POLICY_BUCKET_REGION === undefined,
      'POLICY_BUCKET needs POLICY_BUCKET_REGION; allowed: an AWS region such as eu-central-1',
    ],
  ];
}

export function policySettingsOf(v: Variables, home: string): PolicySettings {
  return {
    source: sourceOf(v),
    indexFolder: join(home, 'policy-index'),
    historyFolder: join(home, 'policy-history'),
    syncSeconds: v.POLICY_SYNC_SECONDS,
    supersededSeconds: v.POLICY_SUPERSEDED_SECONDS,
  };
}

function sourceOf(v: Variables): PolicySettings['source'] {
  const [, name, prefix = ''] = BUCKET.exec(v.POLICY_BUCKET ?? '') ?? [];
  if (name === undefined) return { kind: 'folder', folder: resolve(v.POLICY_FOLDER ?? DEMO_FOLDER) };
  return {
    kind: 'bucket',
    name,
    // Keys begin with it and are told without it.
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
    // `policyRules` has refused one without a region.
    region: v.POLICY_BUCKET_REGION ?? '',
    endpoint: v.POLICY_BUCKET_ENDPOINT,
  };
}
