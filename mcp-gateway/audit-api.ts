import { type Request, Router } from 'express';
import { z } from 'zod';
import { type AuditFilter, type AuditReader, OUTCOMES } from '../domain/audit.ts';
import { Refusal } from '../domain/refusal.ts';
import type { ApiDeps } from './approvals-api.ts';
import { requireScope } from './authenticate.ts';
import { problemsOf } from './render.ts';

const FILTER = z.strictObject({
  call_id: z.string().max(200).optional(),
  tool: z.string().max(64).optional(),
  subject: z.string().max(200).optional(),
  outcome: z.enum(OUTCOMES).optional(),
  final: z.enum(['true', 'false']).optional(),
  before: z.coerce.number().int().min(1).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

/** The record of the caller's own shop, newest first. */
export function auditApi({ core, authenticate }: ApiDeps, reader: AuditReader): Router {
  const router = Router();
  router.get('/audit', async (request, response) => {
    const principal = await authenticate(request, response);
    await requireScope(core.record, principal, 'audit:read', response);
    const rows = await reader.list(principal.tenant, filterIn(request));
    response.json({ rows: rows.map(snake) });
  });
  return router;
}

function filterIn({ query }: Request): AuditFilter {
  const parsed = FILTER.safeParse(query);
  if (!parsed.success) {
    throw new Refusal('invalid_arguments', `Invalid query. ${problemsOf(parsed.error).join('; ')}.`);
  }
  const { call_id, tool, subject, outcome, final, before, limit } = parsed.data;
  return {
    limit,
    ...(call_id === undefined ? {} : { callId: call_id }),
    ...(tool === undefined ? {} : { tool }),
    ...(subject === undefined ? {} : { subject }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(final === undefined ? {} : { finalOnly: final === 'true' }),
    ...(before === undefined ? {} : { before }),
  };
}

/** Wire fields are snake case. */
function snake(row: object): object {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]: [string, unknown]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}
