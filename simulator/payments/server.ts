import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import express, { type Express, type Response } from 'express';
import { z } from 'zod';
import { signWebhook, TIMESTAMP_HEADER } from '../../platform/webhook-signature.ts';
import { behaviourOf } from './cards.ts';
import { type Books, type Charge, openBooks } from './processor.ts';

export type PaymentSimulatorOptions = {
  /** Loopback only. 0: any free port. */
  readonly port: number;
  /** What callers must bring as `Authorization: Bearer`. */
  readonly key: string;
  /** Where callbacks go, asked for at each one; undefined: nowhere. */
  readonly webhook: () => { readonly url: string; readonly secret: string } | undefined;
  /** How long a pending charge takes. Default 1000. */
  readonly pendingMs?: number;
};

export type PaymentSimulator = {
  readonly url: string;
  readonly books: Books;
  stop(): Promise<void>;
};

/** Faults that can be switched on for every request: the processor is down, garbles, or answers too late. */
const FAULTS = z.enum(['none', 'down', 'garbage', 'reset', 'hang', 'rate_limited']);
type Fault = z.output<typeof FAULTS>;

const CONTROL = z.strictObject({
  fault: FAULTS.optional(),
  /** How often each callback is delivered. */
  deliveries: z.int().min(0).max(10).optional(),
});
const SETTLE = z.strictObject({ idempotency_key: z.string(), status: z.enum(['succeeded', 'declined']) });
const ASKED = z.object({
  amount: z.int().min(0),
  currency: z.string().regex(/^[A-Z]{3}$/),
  method: z.string().min(1),
  metadata: z.record(z.string(), z.string()).default({}),
});
const REFUND = z.object({ amount: z.int().min(0), currency: z.string() });

/** A card processor over real HTTP, for development and tests. It moves no money. */
export async function startPaymentSimulator(options: PaymentSimulatorOptions): Promise<PaymentSimulator> {
  const books = openBooks();
  const { app, stop: forget } = processorApp(books, options);
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return {
    url: `http://127.0.0.1:${port}`,
    books,
    stop: async () => {
      forget();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function processorApp(books: Books, options: PaymentSimulatorOptions) {
  const state: { fault: Fault; deliveries: number } = { fault: 'none', deliveries: 1 };
  const timers = new Set<NodeJS.Timeout>();
  const lost = new Set<string>();
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json({ limit: '100kb' }));

  app.get('/health', (_request, response) => void response.json({ status: 'ok' }));
  app.get('/_control', (_request, response) => void response.json({ ...state, ...bookkeeping(books) }));
  app.post('/_control', (request, response) => {
    const wanted = CONTROL.safeParse(request.body);
    if (!wanted.success) {
      refuse(response, 400, 'fault or deliveries');
      return;
    }
    state.fault = wanted.data.fault ?? state.fault;
    state.deliveries = wanted.data.deliveries ?? state.deliveries;
    response.json(state);
  });
  app.post('/_control/settle', async (request, response) => {
    const wanted = SETTLE.safeParse(request.body);
    const charge = wanted.success && books.settle(wanted.data.idempotency_key, wanted.data.status);
    if (!charge) {
      refuse(response, 404, 'no such pending charge');
      return;
    }
    await callBack(charge, state.deliveries, options);
    response.json(charge);
  });

  app.use('/v1', (request, response, next) => {
    if (request.headers.authorization !== `Bearer ${options.key}`) refuse(response, 401, 'unauthorised');
    else if (state.fault === 'none') next();
    else misbehave(state.fault, response);
  });
  app.post('/v1/charges', (request, response) => {
    const asked = ASKED.safeParse(request.body);
    const key = request.get('idempotency-key');
    if (!asked.success || key === undefined) {
      refuse(response, 400, 'invalid');
      return;
    }
    const how = behaviourOf(asked.data.method);
    // Held open until the caller hangs up.
    if (how === 'hang') return;
    const done = books.charge(key, asked.data);
    if (done === 'conflict') {
      refuse(response, 409, 'key of another request');
      return;
    }
    if (done.isNew && done.charge.status === 'pending') settleLater(done.charge, how !== 'pending_decline');
    if (how === 'lost' && !lost.has(key)) {
      lost.add(key);
      response.destroy();
      return;
    }
    response.status(done.isNew ? 201 : 200).json(done.charge);
  });
  app.get('/v1/charges', (request, response) => {
    const { idempotency_key: key } = request.query;
    const charge = typeof key === 'string' ? books.byKey(key) : undefined;
    response.json({ data: charge === undefined ? [] : [charge] });
  });
  app.post('/v1/charges/:id/refunds', (request, response) => {
    const asked = REFUND.safeParse(request.body);
    const key = request.get('idempotency-key');
    const refund =
      asked.success && key !== undefined
        ? books.refund(key, request.params.id, asked.data.amount)
        : undefined;
    if (refund === undefined) refuse(response, 422, 'cannot be refunded');
    else response.status(201).json(refund);
  });

  function settleLater({ idempotency_key: key }: Charge, succeeds: boolean): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      const charge = books.settle(key, succeeds ? 'succeeded' : 'declined');
      // Nobody waits for it; a receiver that is away asks for itself.
      if (charge) callBack(charge, state.deliveries, options).catch(() => undefined);
    }, options.pendingMs ?? 1000);
    timers.add(timer);
  }
  return { app, stop: () => timers.forEach((timer) => clearTimeout(timer)) } satisfies {
    app: Express;
    stop: () => void;
  };
}

function bookkeeping(books: Books) {
  return { charges: books.charges(), refunds: books.refunds() };
}

function refuse(response: Response, status: number, error: string): void {
  response.status(status).json({ error });
}

function misbehave(fault: Exclude<Fault, 'none'>, response: Response): void {
  switch (fault) {
    case 'down':
      refuse(response, 503, 'down');
      break;
    case 'rate_limited':
      refuse(response.set('Retry-After', '1'), 429, 'slow down');
      break;
    case 'garbage':
      response.type('html').send('<html>504 Gateway Time-out</html>');
      break;
    case 'reset':
      response.destroy();
      break;
    case 'hang':
      // Held open until the caller hangs up.
      break;
  }
}

/** One event, delivered as often as is asked for, under one id. */
async function callBack(charge: Charge, times: number, { webhook }: PaymentSimulatorOptions): Promise<void> {
  const to = webhook();
  if (to === undefined) return;
  const event = { id: `evt_${randomUUID()}`, type: `charge.${charge.status}`, data: charge };
  const body = Buffer.from(JSON.stringify(event));
  for (let n = 0; n < times; n += 1) {
    const timestamp = String(Math.floor(Date.now() / 1000));
    await fetch(to.url, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        [TIMESTAMP_HEADER]: timestamp,
        'X-Hmac-Signature': signWebhook(body, to.secret, timestamp),
      },
    });
  }
}
