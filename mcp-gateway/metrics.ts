import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { CacheMetrics } from '../domain/cache.ts';
import type { CarrierMetrics } from '../domain/carriers.ts';
import type { EventLag } from '../domain/events.ts';
import type { FairQueue } from './fair-queue.ts';

/** Anybody may look, so Postgres is asked at most once in this time. */
const LOOK_MS = 1_000;

export type Metrics = {
  /** One MCP call ended. Names no tenant and no subject: the page is readable by whoever reaches it. */
  call(tool: string, outcome: string, seconds: number): void;
  request(route: string, status: number): void;
  /** What the cache of this process's read worker did. */
  readonly cache: CacheMetrics;
  /** What its carriers did. */
  readonly carriers: CarrierMetrics;
  text(): Promise<string>;
  readonly contentType: string;
};

type Gauges = {
  readonly queue?: Pick<FairQueue, 'inFlight' | 'waiting'>;
  readonly sessions: () => number;
  readonly events?: () => Promise<EventLag>;
};

export function createMetrics({ queue, sessions, events }: Gauges): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const calls = new Histogram({
    name: 'countersign_call_seconds',
    help: 'Duration of MCP calls by tool and outcome.',
    labelNames: ['tool', 'outcome'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const cached = new Counter({
    name: 'countersign_cache_events_total',
    help: 'Cache events of the reads in this process by event and kind.',
    labelNames: ['event', 'kind'],
    registers,
  });
  const requests = new Counter({
    name: 'countersign_http_requests_total',
    help: 'HTTP requests by route and status.',
    labelNames: ['route', 'status'],
    registers,
  });
  registry.registerMetric(gauge('countersign_sessions', 'Open MCP sessions.', sessions));
  registry.registerMetric(
    gauge('countersign_reads_in_flight', 'Reads started and not ended.', () => queue?.inFlight ?? 0),
  );
  registry.registerMetric(
    gauge('countersign_reads_waiting', 'Reads that wait for a slot.', () => queue?.waiting ?? 0),
  );
  if (events !== undefined) for (const one of eventGauges(events)) registry.registerMetric(one);
  return {
    call: (tool, outcome, seconds) => calls.observe({ tool, outcome }, seconds),
    request: (route, status) => requests.inc({ route, status: String(status) }),
    cache: { count: (event, kind) => cached.inc({ event, kind }) },
    carriers: carrierMetrics(registers),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** While Postgres is away there is nothing to show. */
function eventGauges(events: () => Promise<EventLag>): readonly Gauge[] {
  let looked: Promise<EventLag | undefined> | undefined;
  let lookedAt = 0;
  const look = () => {
    if (looked === undefined || Date.now() - lookedAt > LOOK_MS) {
      lookedAt = Date.now();
      looked = events().catch(() => undefined);
    }
    return looked;
  };
  const of = (
    name: string,
    help: string,
    show: (gauge: Gauge, lag: EventLag) => void,
    labelNames: string[] = [],
  ) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [],
      async collect() {
        const lag = await look();
        this.reset();
        if (lag !== undefined) show(this, lag);
        else if (labelNames.length === 0) this.remove();
      },
    });
  return [
    of('countersign_events_published', 'Events published since the installation began.', (one, lag) =>
      one.set(lag.published),
    ),
    of('countersign_events_queued', 'Events in the outbox that are not published yet.', (one, lag) =>
      one.set(lag.queued),
    ),
    of(
      'countersign_event_consumer_lag',
      'Published events that a consumer has not dealt with.',
      (one, lag) => {
        for (const [consumer, n] of Object.entries(lag.behind)) one.set({ consumer }, n);
      },
      ['consumer'],
    ),
  ];
}

function carrierMetrics(registers: Registry[]): CarrierMetrics {
  const attempts = new Histogram({
    name: 'countersign_carrier_attempt_seconds',
    help: 'Duration of attempts at carriers by the reads in this process, by carrier, operation and outcome.',
    labelNames: ['carrier', 'operation', 'outcome'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8],
    registers,
  });
  const circuits = new Gauge({
    name: 'countersign_carrier_circuit_open',
    help: '1 while a carrier is left alone after failing several times in a row.',
    labelNames: ['carrier'],
    registers,
  });
  return {
    attempt: (carrier, operation, outcome, seconds) =>
      attempts.observe({ carrier, operation, outcome }, seconds),
    circuit: (carrier, state) => circuits.set({ carrier }, state === 'closed' ? 0 : 1),
  };
}

function gauge(name: string, help: string, read: () => number): Gauge {
  return new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(read());
    },
  });
}
