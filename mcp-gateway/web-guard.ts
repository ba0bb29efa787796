import { BlockList, isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';

/** Who may speak with the gateway at all, before any token is looked at. */
export type WebRules = {
  /** `host` or `host:port`; without a port, any. */
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly authoriserHeader: string;
};

/** Why the request must not go on (DNS rebinding: a page of a foreign site that resolves to us), or undefined. */
export function rebindingProblem(request: IncomingMessage, rules: WebRules): string | undefined {
  const host = request.headers.host?.toLowerCase();
  if (host === undefined || !hostMatches(host, rules.allowedHosts)) return 'This Host is not served here.';
  const { origin } = request.headers;
  if (origin !== undefined && !rules.allowedOrigins.includes(origin)) return 'This Origin may not call here.';
  return undefined;
}

function hostMatches(host: string, allowed: readonly string[]): boolean {
  const name = host.replace(/:\d+$/, '');
  return allowed.some((entry) => entry.toLowerCase() === host || entry.toLowerCase() === name);
}

export type TokenSource = (request: IncomingMessage) => string | undefined;

/**
 * Where the caller's token is: `Authorization: Bearer`, or, from a peer that is a trusted proxy and from
 * nobody else, the authoriser's header. Either way it is verified.
 */
export function tokenSource({ trustedProxies, authoriserHeader }: WebRules): TokenSource {
  const isTrusted = peerFilter(trustedProxies);
  return (request) => {
    const passedOn = request.headers[authoriserHeader];
    if (isTrusted(request.socket.remoteAddress ?? '') && typeof passedOn === 'string') {
      return passedOn.replace(/^Bearer /i, '');
    }
    // From anybody else the header is forged: nothing further in may see it.
    delete request.headers[authoriserHeader];
    return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  };
}

/** Whether a peer's address is this machine's own. */
export const isLoopback = peerFilter(['127.0.0.0/8', '::1']);

function peerFilter(blocks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', bits] = block.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return (address) => {
    // A dual-stack socket writes an IPv4 peer as ::ffff:10.0.0.1.
    const plain = address.replace(/^::ffff:/i, '');
    return isIP(plain) !== 0 && list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
  };
}
