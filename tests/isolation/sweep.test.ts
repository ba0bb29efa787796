import assert from 'node:assert/strict';
import { type Stack, startStack } from '../gateway/stack.ts';
import { type Asker, type Heard, type Who, asker, without } from './ask.ts';
import { checksum, personalTexts, textsOf } from './database.ts';
import { historiesOf, type Told } from './histories.ts';
import { type Own, type PlantedShop, type Probe, plantedShops } from './shops.ts';
import { type Surface, lists, surfaces, UNKNOWN_KIND } from './surfaces.ts';

/** Who asks. Every role from one shop; from the other, those with most to ask for. */
const STAFF = {
  manga: [
    'supply_chain_manager',
    'warehouse_lead',
    'returns_specialist',
    'finance',
    'analyst',
    'prototype',
    'admin',
    'agent:supply_chain_manager',
  ],
  shop_123: ['supply_chain_manager', 'prototype'],
};

/** Somebody, with what is not theirs: ids to ask for, and words that must not reach them. */
type Stranger = Who & {
  readonly home: PlantedShop;
  readonly own: Own;
  readonly probes: readonly Probe[];
  readonly never: readonly string[];
  /** Asks everywhere for everything, not only where it belongs. */
  readonly thorough: boolean;
};

describe('nobody sees what another shop or customer has', function () {
  this.timeout(240_000);
  let stack: Stack;
  let shops: readonly [PlantedShop, PlantedShop];
  let before_: string;
  const heard: Heard[] = [];
  const askers = new Map<Stranger, Asker>();

  before(async () => {
    stack = await startStack();
    shops = await plantedShops(stack);
    const people = strangers(shops);
    await Promise.all(
      people.map(async (who) => askers.set(who, await asker(stack, who, (one) => heard.push(one)))),
    );
    before_ = await checksum(stack.db);
  });
  after(() => stack?.stop());

  it('knows of every argument which ids it takes, or that it names nothing', () => {
    const unknown = surfaces().filter(({ kind }) => kind === UNKNOWN_KIND);
    assert.deepEqual(
      unknown.map(({ name }) => name),
      [],
      'KIND_OF_ARGUMENT, KIND_OF_ROUTE_VARIABLE and NAMES_NOTHING in surfaces.ts do not know what these take',
    );
  });

  for (const surface of surfaces()) {
    it(`${surface.name} answers to a foreign id as to one that nobody has`, async () => {
      const different: string[] = [];
      await Promise.all(
        [...askers].map(async ([who, by]) => {
          for (const probe of who.probes.filter((one) => isDue(one, surface, who))) {
            const unknown = await surface.ask(by, probe.unknown, who.own);
            const foreign = await surface.ask(by, probe.real, who.own);
            if (foreign.plain !== unknown.plain)
              different.push(`${by.who} ${foreign.question}:\n${foreign.plain}\nand not\n${unknown.plain}`);
          }
        }),
      );
      assert.deepEqual(different, []);
    });
  }

  it('has changed nothing of anybody’s but the record', async () => {
    assert.equal(await checksum(stack.db), before_);
  });

  for (const list of lists())
    it(`${list.name} is asked by everybody`, () =>
      Promise.all([...askers.values()].map((by) => list.ask(by))));

  it('has said no word that belongs to somebody else, in no answer, error or header', () => {
    const said = [...askers].flatMap(([who, by]) =>
      heard.filter((one) => one.who === by.who).flatMap((one) => leaks(one, who)),
    );
    assert.deepEqual(said.slice(0, 5), []);
    assert.ok(heard.length > 2000, `only ${heard.length} answers were heard`);
  });

  it('has said no text that only the other shop’s rows hold', async () => {
    const [manga, other] = shops;
    const texts = { manga: await textsOf(stack.db, manga.id), other: await textsOf(stack.db, other.id) };
    const found = [...askers].flatMap(([who, by]) => {
      const [own, foreign] = who.home === manga ? [texts.manga, texts.other] : [texts.other, texts.manga];
      return heard
        .filter((one) => one.who === by.who)
        .flatMap((one) =>
          strings(one).filter((text) => isTelling(text) && foreign.has(text) && !own.has(text)),
        );
    });
    assert.deepEqual([...new Set(found)], []);
  });

  describe('though whoever it belongs to', () => {
    for (const surface of surfaces().filter(({ looksUp }) => looksUp)) {
      it(`gets something else from ${surface.name}`, async () => {
        for (const [who, by] of askers) {
          if (who.as !== 'supply_chain_manager') continue;
          const id = String(who.own[surface.kind]);
          const twin = who.home.probes.find(({ real }) => real === id)?.unknown;
          assert.ok(twin !== undefined, `there is no ${surface.kind} of their own`);
          const [own, unknown] = [await surface.ask(by, id, who.own), await surface.ask(by, twin, who.own)];
          assert.notEqual(own.plain, unknown.plain, own.text);
        }
      });
    }
  });

  describe('and Temporal', () => {
    let told: readonly Told[];
    before(async () => {
      told = await historiesOf(stack);
    });

    it('keeps in nobody’s run what belongs to somebody else', () => {
      const kept = [...askers.keys()].flatMap((who) =>
        told
          .filter(({ tenant, customer }) => tenant === who.shop && customer === customerOf(who))
          .flatMap(({ id, text, input }) =>
            wordsIn(input.reduce(without, text), who).map((w) => `${id}: ${w}`),
          ),
      );
      assert.deepEqual([...new Set(kept)].slice(0, 5), []);
      assert.ok(told.length > 1000, `only ${told.length} histories were read`);
    });

    it('holds no name of anybody, and no e-mail, telephone number or address of a customer, in plain text', async () => {
      const dump = told.map(({ text }) => text).join('\n');
      const personal = await personalTexts(stack.db);
      assert.ok(personal.length > 300, `only ${personal.length} texts`);
      assert.deepEqual(
        personal.filter((text) => dump.includes(text)),
        [],
      );
      // All of it was answered to those who may know it, by runs that are in the dump.
      const answers = heard.map(({ text }) => text).join('\n');
      for (const text of ['Qzmangacleo Name', 'Qzmangacleo driver', 'Qzmangashop-person'])
        assert.ok(personal.includes(text) && answers.includes(text), text);
      assert.ok(dump.includes('Qzmangacleo-order'));
    });
  });
});

function strangers([manga, other]: readonly [PlantedShop, PlantedShop]): readonly Stranger[] {
  return [
    ...STAFF.manga.map((as) => member(as, manga, other)),
    ...STAFF.shop_123.map((as) => member(as, other, manga)),
    ...['customer:', 'agent:customer:'].map((kind) => anna(kind, manga, other)),
    anna('customer:', other, manga),
  ];
}

function member(as: string, home: PlantedShop, foreign: PlantedShop): Stranger {
  const { own, id: shop } = home;
  const thorough = as === 'supply_chain_manager' && shop === 'manga';
  return { as, shop, home, own, probes: foreign.probes, never: [foreign.word], thorough };
}

function anna(kind: string, home: PlantedShop, foreign: PlantedShop): Stranger {
  const { id, orderId } = home.anna;
  const ofOthers = home.probes.filter((probe) => isPrivate(probe) && ![id, orderId].includes(probe.real));
  return {
    as: `${kind}${id}`,
    shop: home.id,
    home,
    own: { ...home.own, order_id: orderId, user_id: id },
    probes: [...foreign.probes, ...ofOthers],
    never: [foreign.word, home.bert.word, home.cleo.word, `${home.word}shop-person`],
    thorough: false,
  };
}

/** Where it belongs, everybody asks for it; everywhere else, one asks for the first of each kind. */
function isDue(probe: Probe, { kind }: Surface, { probes, thorough }: Stranger): boolean {
  if (probe.kind === kind) return true;
  return thorough && probes.find((one) => one.kind === probe.kind) === probe;
}

/** What a shop shows to every customer is nobody's own. */
function isPrivate({ kind }: Probe): boolean {
  return !['sku', 'manga_id', 'warehouse', 'region', 'product', 'category'].includes(kind);
}

function customerOf({ as }: Who): string | undefined {
  return /customer:(.+)$/.exec(as)?.[1];
}

function leaks({ text, asked, question }: Heard, who: Stranger): readonly string[] {
  return wordsIn(without(text, asked), who).map((word) => `${who.as}@${who.shop} ${question}: ${word}`);
}

function wordsIn(text: string, { never }: Stranger): readonly string[] {
  const said = text.toLowerCase();
  return never.filter((word) => said.includes(word.toLowerCase()));
}

/** Short numbers are anybody's: a price, a count. */
function isTelling(text: string): boolean {
  return text.length >= 6 || /\p{L}/u.test(text);
}

/** Every string of an answer, those of JSON within JSON too, but for the id that was asked for. */
function strings({ text, asked }: Heard): readonly string[] {
  return text
    .split('\n')
    .flatMap((line) => stringsIn(line.replace(/^data: /, '')))
    .filter((one) => one !== asked);
}

function stringsIn(text: string): readonly string[] {
  if (!/^[[{]/.test(text)) return [text];
  const found: string[] = [];
  JSON.parse(text, (_key, value: unknown) => {
    if (typeof value === 'string') found.push(...(value.startsWith('{') ? stringsIn(value) : [value]));
    return value;
  });
  return found;
}
