import { type JWTVerifyGetKey, createRemoteJWKSet, decodeJwt, errors, importJWK, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Assurance, Principal } from '../domain/principal.ts';
import { Refusal } from '../domain/refusal.ts';
import { principalFrom } from './claims.ts';

/** Who a token speaks for. Checked at every request; nothing is remembered between two. */
export type Verifier = {
  /**
   * @throws {Refusal} unauthenticated: the token is missing, malformed, expired, forged or meant for another
   *   audience. unavailable: the issuer's keys cannot be fetched.
   */
  verify(token: string | undefined, audience: string): Promise<Principal>;
};

export type TrustedIssuer = {
  readonly issuer: string;
  readonly assurance: Assurance;
  readonly key: JWTVerifyGetKey;
};

/** Asymmetric only: with a shared secret in the list, a public key would pass for one. */
const ALGORITHMS = ['EdDSA', 'ES256', 'RS256'];
const LONGEST_TOKEN = 16_384;
const CLOCK_TOLERANCE_SECONDS = 5;

/** Believes tokens of these issuers, each by its own keys. */
export function verifier(trusted: readonly TrustedIssuer[]): Verifier {
  return {
    async verify(token, audience) {
      if (token === undefined || token === '') throw unauthenticated('A bearer token is needed');
      const issuer = trusted.find((known) => known.issuer === claimedIssuer(token));
      if (!issuer) throw unauthenticated('The token was not issued by anyone this gateway trusts');
      const principal = principalFrom(await payloadOf(token, issuer, audience), issuer.assurance);
      if (typeof principal === 'string') throw unauthenticated(`The token cannot be used: ${principal}`);
      return principal;
    },
  };
}

async function payloadOf(token: string, { issuer, key }: TrustedIssuer, audience: string): Promise<unknown> {
  try {
    const { payload } = await jwtVerify(token, reached(key), {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    return payload;
  } catch (error) {
    throw refusalFor(error);
  }
}

/** Tells "the issuer has no such key" from "the issuer cannot be asked": only the first is the token's fault. */
function reached(key: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await key(header, token);
    } catch (error) {
      const isTokensFault =
        error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JWKSMultipleMatchingKeys ||
        error instanceof errors.JOSENotSupported;
      if (isTokensFault) throw error;
      throw new Refusal('unavailable', 'The identity provider’s keys cannot be fetched; try again shortly.');
    }
  };
}

/** The issuer a token claims, unverified: good for choosing a key and for nothing else. */
function claimedIssuer(token: string): string | undefined {
  if (token.length > LONGEST_TOKEN) throw unauthenticated('The token is too long');
  try {
    return decodeJwt(token).iss;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) {
      throw unauthenticated('The token is not a JWT');
    }
    throw error;
  }
}

/** Says which check failed, so that an operator can mend it; no claim's value is repeated. */
function refusalFor(error: unknown): unknown {
  if (error instanceof Refusal) return error;
  if (error instanceof errors.JWTExpired) return unauthenticated('The token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return unauthenticated(`The token's claim ${error.claim} does not pass`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return unauthenticated(`The token's algorithm is not one of ${ALGORITHMS.join(', ')}`);
  }
  // A key that does not fit the algorithm is a TypeError to jose; to us it is one more bad signature.
  if (error instanceof errors.JOSEError || error instanceof TypeError) {
    return unauthenticated('The token’s signature does not pass');
  }
  return error;
}

function unauthenticated(why: string): Refusal {
  return new Refusal('unauthenticated', `${why}.`);
}

/** An outside identity provider: keys from its JWKS, kept for ten minutes, fetched again for an unknown key id. */
export function remoteIssuer(issuer: string, jwksUrl: string): TrustedIssuer {
  const key = createRemoteJWKSet(new URL(jwksUrl), {
    timeoutDuration: 3000,
    cooldownDuration: 5000,
    cacheMaxAge: 600_000,
  });
  return { issuer, assurance: 'verified', key };
}

const PUBLIC_JWK = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() });

/** The built-in issuer of the development profile; `signingKey` is its private JWK, of which only the public half is used. */
export function developmentIssuer(issuer: string, signingKey: string): TrustedIssuer {
  const jwk = PUBLIC_JWK.parse(JSON.parse(signingKey));
  const imported = importJWK({ ...jwk, alg: 'EdDSA' }, 'EdDSA');
  return { issuer, assurance: 'development', key: () => imported };
}
