import type { Variables } from './config-variables.ts';
import { policyRules } from './policy-settings.ts';
import { retrievalRules } from './retrieval-settings.ts';

/** The built-in issuer's name. Tokens that carry it are believed in development only. */
export const DEVELOPMENT_ISSUER = 'urn:countersign:development';

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/** What no single variable can say: values that do not go together. */
export function judge(v: Variables): readonly string[] {
  const rules: readonly (readonly [boolean, string])[] =
    v.COUNTERSIGN_PROFILE === 'production'
      ? [
          [
            v.COUNTERSIGN_DEVELOPMENT_ISSUER === true || v.OIDC_ISSUER === DEVELOPMENT_ISSUER,
            'the development issuer is configured (COUNTERSIGN_DEVELOPMENT_ISSUER, OIDC_ISSUER), and production refuses it; allowed: OIDC_ISSUER and OIDC_JWKS_URL of your identity provider',
          ],
          [
            v.COUNTERSIGN_SIGNING_KEY !== undefined,
            'COUNTERSIGN_SIGNING_KEY belongs to the development issuer, and production refuses it; allowed: not set',
          ],
          [
            v.COUNTERSIGN_AUTHENTICATION_BYPASS !== undefined,
            'COUNTERSIGN_AUTHENTICATION_BYPASS is set, and production refuses it; allowed: not set',
          ],
          [
            v.COUNTERSIGN_APPROVAL_SECONDS !== undefined,
            'COUNTERSIGN_APPROVAL_SECONDS is for tests, and production refuses it; allowed: not set',
          ],
          [
            v.OIDC_ISSUER !== undefined && v.OIDC_JWKS_URL === undefined,
            'OIDC_JWKS_URL is not set; allowed: the https address of the key set of OIDC_ISSUER',
          ],
        ]
      : [
          [
            !LOOPBACK.has(v.COUNTERSIGN_HOST) && !v.COUNTERSIGN_CONTAINER,
            'COUNTERSIGN_HOST must be a loopback address in the development profile; allowed: 127.0.0.1, ::1, localhost (or COUNTERSIGN_CONTAINER=true where the container publishes on loopback only)',
          ],
          [
            v.COUNTERSIGN_AUTHENTICATION_BYPASS !== undefined && !LOOPBACK.has(v.COUNTERSIGN_HOST),
            'COUNTERSIGN_AUTHENTICATION_BYPASS would let a network in without a token; allowed: not set, or COUNTERSIGN_HOST 127.0.0.1, ::1, localhost',
          ],
          [
            v.COUNTERSIGN_AUTHENTICATION_BYPASS !== undefined && (v.TRUSTED_PROXIES ?? []).length > 0,
            'COUNTERSIGN_AUTHENTICATION_BYPASS does not go with TRUSTED_PROXIES: behind a proxy everybody seems to be on this machine; allowed: one of the two',
          ],
          [
            v.COUNTERSIGN_AUTHENTICATION_BYPASS !== undefined && v.COUNTERSIGN_DEVELOPMENT_ISSUER === false,
            'COUNTERSIGN_AUTHENTICATION_BYPASS acts as a login of the development issuer, which is off; allowed: not set, or COUNTERSIGN_DEVELOPMENT_ISSUER=true',
          ],
        ];
  return [
    ...rules,
    ...paymentRules(v),
    ...carrierRules(v),
    ...cacheRules(v),
    ...eventRules(v),
    ...policyRules(v),
    ...retrievalRules(v),
  ]
    .filter(([broken]) => broken)
    .map(([, line]) => line);
}

function paymentRules(v: Variables): readonly (readonly [boolean, string])[] {
  return [
    [
      (v.PAYMENT_PROVIDER_URL === undefined) !== (v.PAYMENT_PROVIDER_KEY === undefined),
      'PAYMENT_PROVIDER_URL and PAYMENT_PROVIDER_KEY belong together; allowed: both, or neither',
    ],
  ];
}

function carrierRules(v: Variables): readonly (readonly [boolean, string])[] {
  const carriers = [
    ['CARRIER_UPS', v.CARRIER_UPS_URL, v.CARRIER_UPS_CLIENT_ID, v.CARRIER_UPS_CLIENT_SECRET],
    ['CARRIER_FEDEX', v.CARRIER_FEDEX_URL, v.CARRIER_FEDEX_CLIENT_ID, v.CARRIER_FEDEX_CLIENT_SECRET],
  ] as const;
  return carriers.flatMap(([name, url, ...access]): readonly (readonly [boolean, string])[] => [
    [
      new Set([url, ...access].map((value) => value === undefined)).size > 1,
      `${name}_URL, ${name}_CLIENT_ID and ${name}_CLIENT_SECRET belong together; allowed: all, or none`,
    ],
    [
      v.COUNTERSIGN_PROFILE === 'production' && url !== undefined && !isPrivate(url),
      `${name}_URL must be https: the client secret travels over it; allowed: an https address, or loopback`,
    ],
  ]);
}

/** Nobody on the way can read along. */
function isPrivate(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || LOOPBACK.has(hostname) || hostname === '[::1]';
}

function cacheRules(v: Variables): readonly (readonly [boolean, string])[] {
  return [
    [
      v.INVALIDATION_REDIS_URL !== undefined && v.REDIS_URL !== undefined,
      'INVALIDATION_REDIS_URL is for stores of single processes, and REDIS_URL is one store for all of them, which announces invalidations itself; allowed: one of the two, or neither',
    ],
  ];
}

function eventRules(v: Variables): readonly (readonly [boolean, string])[] {
  return [
    [
      v.EVENT_STREAM === 'redis' && (v.EVENT_STREAM_REDIS_URL ?? v.REDIS_URL) === undefined,
      'EVENT_STREAM=redis needs EVENT_STREAM_REDIS_URL or REDIS_URL; allowed: redis://host:port or rediss://host:port',
    ],
    [
      v.EVENT_STREAM === 'kinesis' && v.EVENT_STREAM_REGION === undefined,
      'EVENT_STREAM=kinesis needs EVENT_STREAM_REGION; allowed: an AWS region such as eu-central-1',
    ],
    [
      v.EVENT_STREAM === 'kinesis' && v.EVENT_STREAM_NAME.includes(':'),
      'EVENT_STREAM_NAME: Kinesis takes no colon; allowed: 1 to 128 letters, digits, _ . and -',
    ],
  ];
}
