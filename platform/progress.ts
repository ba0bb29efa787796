import { performance } from 'node:perf_hooks';

/** One long step, while it runs. */
type Step = {
  /** What is being done right now. */
  readonly note: (text: string) => void;
  /** How much of it is done, so that what is left can be told. */
  readonly at: (done: number, total: number) => void;
};

export type Progress = {
  /** Runs `work` and shows what it does, how long it has taken and what is left. */
  readonly step: <T>(title: string, work: (step: Step) => Promise<T>) => Promise<T>;
  readonly line: (text: string) => void;
};

/** A stream of the process, or what stands for one. */
export type Out = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly write: (text: string) => unknown;
};

/** On a terminal a line that moves; elsewhere a line at the start, every ten seconds, and at the end. */
export function createProgress(out: Out, plain = out.isTTY !== true): Progress {
  return {
    line: (text) => {
      // Over a step's moving line, which is drawn again below it.
      out.write(`${plain ? '' : CLEAR}${text}\n`);
    },
    step: (title, work) => runStep(title, work, plain ? plainScreen(out) : liveScreen(out)),
  };
}

type Screen = {
  readonly everyMs: number;
  open(title: string): void;
  show(text: string): void;
  close(text: string): void;
};

async function runStep<T>(title: string, work: (step: Step) => Promise<T>, screen: Screen): Promise<T> {
  const began = performance.now();
  let doing = '';
  let share: { readonly done: number; readonly total: number } | undefined;
  const seconds = () => (performance.now() - began) / 1000;
  const paint = () => screen.show(describe(title, doing, seconds(), share));
  screen.open(title);
  const timer = setInterval(paint, screen.everyMs);
  try {
    const result = await work({
      note: (text) => {
        doing = text;
      },
      at: (done, total) => {
        share = { done, total };
      },
    });
    screen.close(`✓ ${title}${doing === '' ? '' : ` · ${doing}`} (${seconds().toFixed(1)} s)`);
    return result;
  } catch (error) {
    screen.close(`✗ ${title}${doing === '' ? '' : ` · ${doing}`} (${seconds().toFixed(1)} s)`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** `… title · note · 40% · 12 s, about 18 s left` */
export function describe(
  title: string,
  doing: string,
  seconds: number,
  share: { readonly done: number; readonly total: number } | undefined,
): string {
  const parts = [`… ${title}`];
  if (doing !== '') parts.push(doing);
  if (share !== undefined && share.total > 0) parts.push(`${Math.floor((100 * share.done) / share.total)}%`);
  parts.push(`${Math.round(seconds)} s${left(seconds, share)}`);
  return parts.join(' · ');
}

function left(seconds: number, share: { readonly done: number; readonly total: number } | undefined): string {
  if (share === undefined || share.done <= 0 || share.total <= 0 || seconds < 1) return '';
  return `, about ${Math.ceil((seconds * (share.total - share.done)) / share.done)} s left`;
}

function plainScreen(out: Out): Screen {
  const write = (text: string) => {
    out.write(`${text}\n`);
  };
  return { everyMs: 10_000, open: (title) => write(`… ${title}`), show: write, close: write };
}

const CLEAR = '\r\u001b[2K';

/** Some terminals say that they have no columns. */
function columnsOf({ columns }: Out): number {
  return columns === undefined || columns === 0 ? 80 : columns;
}

function liveScreen(out: Out): Screen {
  const write = (text: string, end: string) => {
    out.write(`${CLEAR}${text.slice(0, Math.max(20, columnsOf(out) - 1))}${end}`);
  };
  return {
    everyMs: 250,
    open: (title) => write(`… ${title}`, ''),
    show: (text) => write(text, ''),
    close: (text) => write(text, '\n'),
  };
}
