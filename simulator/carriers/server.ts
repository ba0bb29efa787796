import { createServer } from 'node:http';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { CONTROL, control, type Control, stateOf, unknownNumbers } from './control.ts';
import { type Pusher, startPushing } from './push.ts';
import { openRoom, type Room } from './room.ts';
import { refuse } from './ups/answers.ts';
import { type Credentials, upsInterface } from './ups/interface.ts';

export type CarrierSimulatorOptions = Credentials & {
  /** 0: any free port. */
  readonly port: number;
  /** Default 127.0.0.1. Whoever reaches it can control it. */
  readonly host?: string;
  /** The carrier's clock before it is moved. Default: the real one. */
  readonly clock?: () => Date;
  /** Decides whom `error_rate` hits. */
  readonly random?: () => number;
};

export type CarrierSimulator = {
  readonly url: string;
  /** As `POST /_control`. */
  control(wanted: Control): Promise<ReturnType<typeof stateOf>>;
  /** As `GET /_control`. */
  state(): ReturnType<typeof stateOf>;
  stop(): Promise<void>;
};

/** A carrier over real HTTP, for development and tests: UPS's interface, with a clock and faults to switch. */
export async function startCarrierSimulator(options: CarrierSimulatorOptions): Promise<CarrierSimulator> {
  const { port, host = '127.0.0.1', clock = () => new Date(), random = Math.random } = options;
  const room = openRoom(clock, random);
  const pusher = startPushing(room);
  const server = createServer(carrierApp(room, pusher, options));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    control: async (wanted) => {
      await control(room, pusher, CONTROL.parse(wanted));
      return stateOf(room, pusher);
    },
    state: () => stateOf(room, pusher),
    stop: async () => {
      await pusher.stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function carrierApp(room: Room, pusher: Pusher, credentials: Credentials): Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/health', (_request, response) => {
    const { fault, clock, total } = stateOf(room, pusher);
    response.json({ status: 'ok', fault, clock, parcels: total });
  });
  app.use('/_control', (request, response, next) => {
    // A page in a browser names its origin; nobody else who may be here does.
    if (request.get('origin') === undefined) next();
    else response.status(403).json({ error: 'not for browsers' });
  });
  app.use(express.json({ limit: '5mb' }));
  app.get('/_control', (_request, response) => void response.json(stateOf(room, pusher)));
  app.post('/_control', async (request, response) => {
    const wanted = CONTROL.safeParse(request.body);
    const unknown = wanted.success ? unknownNumbers(room, wanted.data) : [];
    if (!wanted.success || unknown.length > 0) {
      const error = wanted.success ? { error: 'unknown parcels', unknown } : { error: wanted.error.issues };
      response.status(400).json(error);
      return;
    }
    await control(room, pusher, wanted.data);
    response.json(stateOf(room, pusher));
  });
  app.use(upsInterface(room, credentials));
  app.use(badRequest);
  return app;
}

/** A body that cannot be read. Express counts the parameters. */
function badRequest(_error: unknown, _request: Request, response: Response, _next: NextFunction): void {
  if (response.headersSent) response.destroy();
  else refuse(response, 400, '9370701', 'The request is not well formed.');
}
