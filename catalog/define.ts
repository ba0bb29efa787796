import type { z } from 'zod';
import type { Risk } from '../domain/approval.ts';
import type { Completable } from '../domain/complete.ts';
import type { OutgoingEvent } from '../domain/events.ts';
import type { ApprovedCall, ReadCall } from '../domain/plan.ts';
import type { Role, Scope } from '../domain/roles.ts';

/** The domain servers. `/mcp` serves them all, `/mcp/<server>` one. `platform` tools are part of every server. */
export const SERVERS = [
  'inventory',
  'orders',
  'logistics',
  'returns',
  'claims',
  'payments',
  'policies',
  'analytics',
  'platform',
] as const;
export type Server = (typeof SERVERS)[number];

type Example<Input> = { readonly prompt: string; readonly input: Input };

// `say` and `asks` are methods, not properties: methods compare bivariantly, so that a tool typed by its own
// schemas still fits into lists of tools. Callers hand them what the same spec's schema has parsed.
type Common<Name extends string, I extends z.ZodObject, O extends z.ZodObject> = {
  readonly name: Name;
  readonly server: Server;
  readonly title: string;
  /** Tells a model when to use it, what it changes, what to use instead. Live data says NEVER infer. */
  readonly description: string;
  /** Any one of these admits the caller. */
  readonly scopes: readonly [Scope, ...Scope[]];
  /** How long the body may take, all attempts together. */
  readonly timeoutSeconds: number;
  readonly input: I;
  readonly output: O;
  /** Other spellings of an argument, normalised before validation: `{ volume: 'volume_number' }`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Arguments that are listed and accepted but never used, with the reason: `user_id`. */
  readonly ignored?: Readonly<Record<string, string>>;
  /** The sentence a person reads. Made from the output alone. */
  say(output: z.output<O>): string;
  readonly examples: readonly [Example<z.input<I>>, ...Example<z.input<I>>[]];
};

export type Emitted = Pick<OutgoingEvent, 'topic' | 'version' | 'key' | 'payload'>;

export type ReadSpec<
  Name extends string = string,
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodObject = z.ZodObject,
> = Common<Name, I, O> & {
  readonly effect: 'read';
  readonly queue: 'reads' | 'slow-reads';
  /**
   * What a call tells the event stream, if anything. Pure, and without a word about the caller: the platform adds
   * when it was, which call, and a pseudonym for who asked.
   */
  emits?(output: z.output<O>, input: z.output<I>): Emitted | undefined;
  /** Called by the platform itself (argument completion, checks before a claim); never listed, never callable as a tool. */
  readonly internal: boolean;
};

/** Changes Countersign's own records only (withdrawing a request): no approval, but not a read either. */
export type ControlSpec<
  Name extends string = string,
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodObject = z.ZodObject,
> = Common<Name, I, O> & {
  readonly effect: 'control';
  /** As of a read: never listed, never callable as a tool. A route of the HTTP API is its only door. */
  readonly internal: boolean;
};

export type ActionSpec<
  Name extends string = string,
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodObject = z.ZodObject,
> = Common<Name, I, O> & {
  readonly effect: 'action';
  readonly risk: Risk;
  readonly approverRole: Role;
  /** Raise it when the meaning of the input changes: it is part of what people approve. */
  readonly schemaVersion: number;
  /** What will happen, for the approver, from validated input. */
  asks(input: z.output<I>): string;
  /**
   * Internal read with the same input, run before a *new* claim: what it refuses is never asked of people.
   * It does not replace the body's own judgement, which sees the world after they have answered.
   */
  readonly precheck?: string;
  /** Which policy speaks of it: its clause is shown to the approvers, and a change of it voids what they said. */
  readonly policy?: { readonly kind: string; readonly question: string };
};

export type ToolSpec = ReadSpec | ControlSpec | ActionSpec;

export function defineRead<Name extends string, I extends z.ZodObject, O extends z.ZodObject>(
  spec: Omit<ReadSpec<Name, I, O>, 'effect' | 'queue' | 'internal'> & {
    readonly queue?: 'slow-reads';
    readonly internal?: true;
  },
): ReadSpec<Name, I, O> {
  return { ...spec, effect: 'read', queue: spec.queue ?? 'reads', internal: spec.internal ?? false };
}

export function defineControl<Name extends string, I extends z.ZodObject, O extends z.ZodObject>(
  spec: Omit<ControlSpec<Name, I, O>, 'effect' | 'internal'> & { readonly internal?: true },
): ControlSpec<Name, I, O> {
  return { ...spec, effect: 'control', internal: spec.internal ?? false };
}

export function defineAction<Name extends string, I extends z.ZodObject, O extends z.ZodObject>(
  spec: Omit<ActionSpec<Name, I, O>, 'effect'>,
): ActionSpec<Name, I, O> {
  return { ...spec, effect: 'action' };
}

/** Read-only context. A resource is read by the same workflow as a tool; its body has its name. */
export type ResourceSpec<
  Name extends string = string,
  P extends z.ZodObject = z.ZodObject,
  O extends z.ZodObject = z.ZodObject,
> = {
  readonly name: Name;
  readonly server: Server;
  /** A URI, or an RFC 6570 level 1 template whose variables are the keys of `params`. */
  readonly uri: string;
  readonly title: string;
  readonly description: string;
  readonly scopes: readonly [Scope, ...Scope[]];
  readonly timeoutSeconds: number;
  readonly params: P;
  readonly output: O;
  /** What completes each variable. */
  readonly complete?: Readonly<Record<string, Completable>>;
};

export function defineResource<Name extends string, P extends z.ZodObject, O extends z.ZodObject>(
  spec: ResourceSpec<Name, P, O>,
): ResourceSpec<Name, P, O> {
  return spec;
}

export type PromptArgument = {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly complete?: Completable;
};

export type PromptSpec = {
  readonly name: string;
  readonly server: Server;
  readonly title: string;
  readonly description: string;
  readonly scopes: readonly [Scope, ...Scope[]];
  readonly args: readonly PromptArgument[];
  /** The user message, from arguments that are all strings. */
  readonly text: (args: Readonly<Record<string, string>>) => string;
};

/** What a tool's body is: typed by its own schemas. */
export type ToolBody<T> = T extends {
  readonly effect: 'action';
  readonly input: infer I;
  readonly output: infer O;
}
  ? I extends z.ZodObject
    ? O extends z.ZodObject
      ? (call: ApprovedCall<z.output<I>>) => Promise<z.output<O>>
      : never
    : never
  : T extends { readonly input: infer I; readonly output: infer O }
    ? I extends z.ZodObject
      ? O extends z.ZodObject
        ? (call: ReadCall<z.output<I>>) => Promise<z.output<O>>
        : never
      : never
    : never;

export type ResourceBody<R> = R extends { readonly params: infer P; readonly output: infer O }
  ? P extends z.ZodObject
    ? O extends z.ZodObject
      ? (call: ReadCall<z.output<P>>) => Promise<z.output<O>>
      : never
    : never
  : never;
