import { type Request, type Response, Router } from 'express';
import { placeOrder } from '../catalog/orders/place-order.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Principal } from '../domain/principal.ts';
import { Refusal, type RefusalCode } from '../domain/refusal.ts';
import { mayUse } from '../catalog/access.ts';
import type { Authenticate } from './authenticate.ts';
import { type Asked, JSON_OBJECT } from './compile-plan.ts';
import type { Core } from './gateway-core.ts';
import { requestIdOf } from './http-errors.ts';
import { invalidArguments, problemsOf } from './render.ts';

type CheckoutDeps = { readonly core: Core; readonly authenticate: Authenticate };

/**
 * Where customers check out: their own act, with their own token. There is no tool for it, and a token that an agent
 * acts with is refused. It runs like every call: a sealed plan, a workflow, one final row of the record.
 */
export function checkoutApi({ core, authenticate }: CheckoutDeps): Router {
  const router = Router();

  router.post('/checkout', async (request, response) => {
    const principal = await customer(request, response);
    const requestId = requestIdOf(response);
    // Each request is a call of its own; what makes a repeat the same order is its key, in Postgres.
    const asked: Asked = { principal, transport: 'api', session: `checkout-${requestId}`, requestId };
    const input = await recorded(asked, undefined, async () => inputOf(request));
    const plan = core.compiler.read(placeOrder, input, asked);
    const output = await recorded(asked, plan.callId, () => core.runs.read(plan));
    response.status(output['replayed'] === true ? 200 : 201).json(output);
  });

  return router;

  /** @throws {Refusal} unauthenticated, forbidden, insufficient_scope (each recorded) */
  async function customer(request: Request, response: Response): Promise<Principal> {
    const principal = await authenticate(request, response);
    const refusal = refusalOf(principal);
    if (refusal === undefined) return principal;
    await denied({ principal, transport: 'api', requestId: requestIdOf(response) }, refusal.code, {});
    throw refusal;
  }

  /** What a worker never saw is recorded here; everything else has the worker's own row. */
  async function recorded<T>(asked: Asked, callId: string | undefined, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (error instanceof Refusal && BEFORE_THE_WORKER.includes(error.code)) {
        await denied(asked, error.code, callId === undefined ? {} : { callId });
      }
      throw error;
    }
  }

  function denied(
    { principal, transport, requestId }: Omit<Asked, 'session'>,
    reason: RefusalCode,
    about: { readonly callId?: string },
  ) {
    // Temporal may have taken a start whose answer was lost: the worker's row, if any, is the final one.
    const unsure = reason === 'unavailable';
    const outcome = unsure ? 'unknown' : 'denied';
    const moment = { tool: placeOrder.name, event: 'denied', outcome, final: !unsure } as const;
    return core.record.write({ ...moment, ...about, reason, principal, transport, requestId });
  }
}

const BEFORE_THE_WORKER: readonly RefusalCode[] = ['invalid_arguments', 'busy', 'unavailable'];

function refusalOf(principal: Principal): Refusal | undefined {
  if (principal.actor !== undefined)
    return new Refusal('forbidden', 'Only customers themselves may check out; no agent may do it for them.');
  if (principal.customerId === undefined)
    return new Refusal('forbidden', 'Only customers may check out, and this token is no customer’s.');
  return mayUse(placeOrder, principal)
    ? undefined
    : new Refusal('insufficient_scope', `Your token lacks the scope ${placeOrder.scopes[0]}.`);
}

/** @throws {Refusal} invalid_arguments, naming each field that is wrong */
function inputOf(request: Request): JsonObject {
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalidArguments(['body: a JSON object is needed.']);
  const header = request.get('idempotency-key');
  const own = 'idempotency_key' in body ? body.idempotency_key : undefined;
  if (header !== undefined && own !== undefined && header !== own)
    throw invalidArguments(['idempotency_key: differs from the header Idempotency-Key.']);
  const parsed = placeOrder.input.safeParse(
    header === undefined ? body : { ...body, idempotency_key: header },
  );
  if (!parsed.success) throw invalidArguments(problemsOf(parsed.error));
  return JSON_OBJECT.parse(parsed.data);
}
