import {
  CompleteRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { mayUse } from '../catalog/access.ts';
import type { PromptSpec } from '../catalog/define.ts';
import { COMPLETION_SCOPES } from '../catalog/index.ts';
import type { Completable } from '../domain/complete.ts';
import { byName, page } from './pages.ts';
import { invalidParams } from './rpc-error.ts';
import type { Context, Register, Serving } from './serving.ts';

/** Longer than any id; a prompt's argument is a word or two, not a document. */
const LONGEST_ARGUMENT = 500;

export function servePrompts(on: Register, serving: Serving): void {
  const { core, server, pageSize } = serving;

  on(ListPromptsRequestSchema, async ({ params }, { principal }) => {
    const { items, ...rest } = page(byName(core.prompts(principal, server)), params?.cursor, pageSize);
    return { prompts: items.map(listedPrompt), ...rest };
  });

  on(GetPromptRequestSchema, async ({ params }, { principal, asked }) => {
    const prompt = core.prompts(principal, server).find(({ name }) => name === params.name);
    const { requestId, transport } = asked;
    const moment = { final: true, principal, transport, requestId } as const;
    if (prompt === undefined) {
      const denied = { event: 'denied', outcome: 'denied', reason: 'not_found', tool: 'prompt' } as const;
      await core.record.write({ ...moment, ...denied });
      throw invalidParams('Unknown prompt');
    }
    const text = prompt.text(checkedArguments(prompt, params.arguments ?? {}));
    await core.record.write({ ...moment, event: 'call', outcome: 'ok', tool: prompt.name });
    return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] };
  });

  on(CompleteRequestSchema, async ({ params: { ref, argument } }, context) => {
    const what = completed(serving, context, ref, argument.name);
    return {
      completion: what === undefined ? NOTHING : await complete(serving, context, what, argument.value),
    };
  });
}

function listedPrompt({ name, title, description, args }: PromptSpec) {
  const described = args.map(({ name, description, required }) => ({ name, description, required }));
  return { name, title, description, arguments: described };
}

function checkedArguments({ args }: PromptSpec, sent: Readonly<Record<string, string>>) {
  const known = new Set(args.map(({ name }) => name));
  if (Object.keys(sent).some((name) => !known.has(name))) {
    throw invalidParams(`Unknown argument. This prompt takes: ${[...known].join(', ') || 'none'}`);
  }
  for (const { name, required } of args) {
    if (required && (sent[name] ?? '') === '') throw invalidParams(`Argument ${name} is needed`);
    if ((sent[name] ?? '').length > LONGEST_ARGUMENT) throw invalidParams(`Argument ${name} is too long`);
  }
  return sent;
}

const NOTHING = { values: [], hasMore: false };
const COMPLETED = z.object({ values: z.array(z.string()), has_more: z.boolean() });

type Ref =
  | { readonly type: 'ref/prompt'; readonly name: string }
  | { readonly type: 'ref/resource'; readonly uri: string };

/** Which kind of id completes this argument for this caller; undefined when none does, or they may not read it. */
function completed({ core, server }: Serving, { principal }: Context, ref: Ref, argument: string) {
  const what = ref.type === 'ref/prompt' ? ofPrompt(ref.name) : ofResource(ref.uri);
  return what !== undefined && mayUse({ scopes: COMPLETION_SCOPES[what] }, principal) ? what : undefined;

  function ofPrompt(name: string): Completable | undefined {
    const prompt = core.prompts(principal, server).find((one) => one.name === name);
    if (prompt === undefined) throw invalidParams('Unknown prompt');
    return prompt.args.find((one) => one.name === argument)?.complete;
  }

  function ofResource(uri: string): Completable | undefined {
    const resource = core.resources(principal, server).find((one) => one.uri === uri);
    if (resource === undefined) throw invalidParams('Unknown resource template');
    return resource.complete?.[argument];
  }
}

async function complete({ core }: Serving, { asked, signal }: Context, what: Completable, prefix: string) {
  // No id is as long as this: nothing starts with it.
  if (prefix.length > 64) return NOTHING;
  const output = await core.internal('complete_argument', { what, prefix }, { ...asked, signal });
  const { values, has_more: hasMore } = COMPLETED.parse(output);
  return { values: values.slice(0, 100), hasMore };
}
