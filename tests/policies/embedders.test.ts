import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbedderError, type Embedder } from '../../domain/policies.ts';
import { bertToOnnx } from '../../policy-index/embedders/bert-to-onnx.ts';
import { estimatedTokenizer } from '../../policy-index/embedders/estimate.ts';
import { openLocalModel, type LocalModel } from '../../policy-index/embedders/local-model.ts';
import { fitLsa, readLsa } from '../../policy-index/embedders/lsa.ts';
import { MODEL_NAME } from '../../policy-index/embedders/model-files.ts';
import { pullModel } from '../../policy-index/embedders/pull-model.ts';
import { ollamaEmbedder, openAiEmbedder, titanEmbedder } from '../../policy-index/embedders/remote.ts';
import { createMaxSimReranker } from '../../policy-index/rerankers/max-sim.ts';
import { remoteReranker } from '../../policy-index/rerankers/remote.ts';
import { chooseRetrieval } from '../../policy-index/retrieval-choice.ts';
import { dot } from '../../policy-index/unit.ts';
import { skip } from '../support/skip.ts';
import { serveJson, type Request } from './remote-support.ts';

const TEXTS = [
  'Shoes may be returned within thirty days.',
  'Returns of shoes are free for members.',
  'A pre-order can be cancelled until it ships.',
  'Cancelling a pre-order refunds the payment.',
  'Parcels are delivered by carriers within a week.',
];

async function one(embedder: Embedder, text: string): Promise<Float32Array> {
  const [vector = new Float32Array()] = await embedder.embed([text]);
  return vector;
}

const length = (vector: Float32Array) => Math.sqrt(dot(vector, vector));

describe('LSA fitted to the documents', () => {
  let model: Uint8Array;
  let embedder: Embedder;
  before(async () => {
    model = await fitLsa(TEXTS);
    embedder = readLsa(model);
  });

  it('gives unit vectors of its dimension', async () => {
    for (const vector of await embedder.embed([...TEXTS, 'unknown words', ''])) {
      assert.equal(vector.length, embedder.dimensions);
      assert.ok(Math.abs(length(vector) - 1) < 1e-5);
    }
  });

  it('brings a text nearer to what it is about', async () => {
    const asked = await one(embedder, 'Can I cancel my pre-order?');
    const near = TEXTS.map((_, i) => i);
    const vectors = await embedder.embed(TEXTS);
    near.sort((a, b) => dot(asked, vectors[b] ?? asked) - dot(asked, vectors[a] ?? asked));
    assert.deepEqual(new Set(near.slice(0, 2)), new Set([2, 3]));
  });

  it('puts a text without a known word far from all others', async () => {
    const vector = await one(embedder, 'zebra');
    for (const other of await embedder.embed(TEXTS)) assert.equal(dot(vector, other), 0);
  });

  it('is the same for the same documents, and another for others', async () => {
    assert.equal(readLsa(await fitLsa(TEXTS)).fingerprint, embedder.fingerprint);
    assert.notEqual(readLsa(await fitLsa(TEXTS.slice(1))).fingerprint, embedder.fingerprint);
  });

  it('refuses to be fitted to nothing', async () => {
    await assert.rejects(fitLsa([]), EmbedderError);
    await assert.rejects(fitLsa(['', 'the of']), EmbedderError);
  });

  it('refuses bytes that are no model', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('nonsense'), model.subarray(0, model.length - 4)]) {
      assert.throws(() => readLsa(bytes), EmbedderError);
    }
  });
});

describe('An embedder behind an interface', () => {
  type Service = Awaited<ReturnType<typeof serveJson>>;
  let service: Service | undefined;
  afterEach(() => service?.close());
  const serve = async (answer: Parameters<typeof serveJson>[0]) => {
    service = await serveJson(answer);
    return service;
  };
  // What the requests of these tests hold.
  const inputs = ({ body }: Request) => body['input'] as string[];
  const openAiAnswer = (request: Request) => ({
    data: inputs(request).map((text, index) => ({ index, embedding: [text.length, 1, 0] })),
  });

  it('speaks OpenAI: model, key, and vectors put in order', async () => {
    const { url, requests } = await serve((request) => {
      const { data } = openAiAnswer(request);
      return { body: { data: data.reverse() } };
    });
    const embedder = await openAiEmbedder({ url: `${url}/v1/`, model: 'm', apiKey: 'secret' });
    const vectors = await embedder.embed(['a', 'bbb']);
    assert.deepEqual(
      vectors.map(([x = 0, y = 0]) => Math.round(x / y)),
      [1, 3],
    );
    assert.equal(embedder.fingerprint, 'openai/m/3/unit');
    assert.deepEqual(
      [requests[0]?.path, requests[0]?.headers.authorization],
      ['/v1/embeddings', 'Bearer secret'],
    );
  });

  it('speaks Ollama, and does not let it cut texts', async () => {
    const { url, requests } = await serve((request) => ({
      body: { embeddings: inputs(request).map(() => [3, 4]) },
    }));
    const embedder = await ollamaEmbedder({ url, model: 'minilm' });
    assert.deepEqual(
      [...(await one(embedder, 'a'))].map((x) => x.toFixed(1)),
      ['0.6', '0.8'],
    );
    assert.deepEqual([requests[0]?.path, requests[0]?.body['truncate']], ['/api/embed', false]);
  });

  it('speaks Titan V2 on Bedrock', async () => {
    process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
    process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
    const { url, requests } = await serve(() => ({ body: { embedding: Array<number>(256).fill(1) } }));
    const embedder = await titanEmbedder({ region: 'eu-central-1', dimensions: 256, endpoint: url });
    assert.equal((await embedder.embed(TEXTS)).length, TEXTS.length);
    assert.equal(embedder.fingerprint, 'bedrock/amazon.titan-embed-text-v2:0/256/unit');
    const asked = requests.find(({ body }) => body['inputText'] === TEXTS[0]);
    assert.deepEqual([asked?.body['dimensions'], asked?.body['normalize']], [256, true]);
    assert.match(asked?.path ?? '', /titan-embed-text-v2(:|%3A)0\/invoke$/);
  });

  it('is asked again when it is busy', async () => {
    let calls = 0;
    const { url } = await serve((request) => {
      calls += 1;
      return calls === 1 ? { status: 429, body: {} } : { body: openAiAnswer(request) };
    });
    assert.equal((await openAiEmbedder({ url, model: 'm' })).dimensions, 3);
  });

  const wrong: Record<string, { status?: number; body: unknown }> = {
    'a refusal': { status: 401, body: { error: 'bad key sk-secret' } },
    'no JSON': { body: '<html>' },
    'an empty object': { body: {} },
    'no vector': { body: { data: [] } },
    'a vector of words': { body: { data: [{ index: 0, embedding: ['a'] }] } },
    'an empty vector': { body: { data: [{ index: 0, embedding: [] }] } },
    'two vectors for one text': { body: { data: [0, 1].map((index) => ({ index, embedding: [1] })) } },
  };
  for (const [what, answer] of Object.entries(wrong)) {
    it(`that answers with ${what} is an error that repeats nothing of it`, async () => {
      const { url } = await serve(() => answer);
      await assert.rejects(openAiEmbedder({ url, model: 'm' }), (error) => {
        assert.ok(error instanceof EmbedderError);
        assert.doesNotMatch(error.message, /secret|html/);
        return true;
      });
    });
  }

  it('that changes the length of its vectors is an error', async () => {
    let size = 3;
    const { url } = await serve((request) => ({
      body: { data: inputs(request).map((_, index) => ({ index, embedding: Array<number>(size).fill(1) })) },
    }));
    const embedder = await openAiEmbedder({ url, model: 'm' });
    size = 4;
    await assert.rejects(embedder.embed(['a']), EmbedderError);
  });

  it('that is away is an error within seconds', async () => {
    await assert.rejects(openAiEmbedder({ url: 'http://127.0.0.1:1', model: 'm' }), EmbedderError);
  });

  it('counts rather too many tokens than too few', () => {
    const tokenizer = estimatedTokenizer(100);
    assert.deepEqual(
      ['', 'a', 'word', 'words', 'a-b', '返品', 'Ｏ’Neil'].map((text) => tokenizer.countTokens(text)),
      [0, 1, 1, 2, 3, 2, 3],
    );
  });
});

describe('A reranker behind an interface', () => {
  it('speaks Cohere, and gives each passage its score', async () => {
    const service = await serveJson(() => ({
      body: {
        results: [
          { index: 1, relevance_score: 0.9 },
          { index: 0, relevance_score: 0.1 },
        ],
      },
    }));
    const reranker = remoteReranker({ url: `${service.url}/v1`, model: 'r', apiKey: 'k' });
    const passages = [
      { id: 'a', text: 'one' },
      { id: 'b', text: 'two' },
    ];
    assert.deepEqual(await reranker.rerank('q', passages), [0.1, 0.9]);
    assert.deepEqual(service.requests[0]?.body, {
      model: 'r',
      query: 'q',
      documents: ['one', 'two'],
      top_n: 2,
    });
    await service.close();
  });

  it('that leaves a passage out is an error', async () => {
    const service = await serveJson(() => ({ body: { results: [{ index: 0, relevance_score: 1 }] } }));
    const reranker = remoteReranker({ url: service.url, model: 'r' });
    await assert.rejects(
      reranker.rerank('q', [
        { id: 'a', text: 'one' },
        { id: 'b', text: 'two' },
      ]),
    );
    await service.close();
  });
});

describe('The choice of an embedder', () => {
  const modelsFolder = join(tmpdir(), 'no-models-here');
  const none = { kind: 'none' } as const;
  const choose = (embedder: Parameters<typeof chooseRetrieval>[0]['embedder']) =>
    chooseRetrieval({ embedder, reranker: none, modelsFolder });

  it('falls on LSA where there is no local model, and says how to get one', async () => {
    const { embedders, reranker } = await chooseRetrieval({
      embedder: { kind: 'auto' },
      reranker: { kind: 'auto' },
      modelsFolder,
    });
    assert.match(embedders.description, /^LSA .*countersign model pull/);
    assert.equal(reranker?.name, 'headings/1');
  });

  it('gives the embedder of a finished build back', async () => {
    const built = await (await choose({ kind: 'lsa' })).embedders.building(TEXTS);
    const { fingerprint: embedder, dimensions } = built.embedder;
    const { embedders } = await choose({ kind: 'lsa' });
    const again = await embedders.reading(
      { embedder, dimensions, chunker: 'x' },
      async () => built.model ?? undefined,
    );
    assert.deepEqual(await one(again, 'shoes'), await one(built.embedder, 'shoes'));
  });

  it('refuses a build of another embedder, with the way out', async () => {
    const { embedders } = await choose({ kind: 'lsa' });
    const other = { embedder: 'onnx/x', dimensions: 384, chunker: 'x' };
    await assert.rejects(
      embedders.reading(other, async () => undefined),
      { problem: 'other_embedder', message: /countersign policy ingest/ },
    );
  });

  it('refuses a build that has lost its model, or has another', async () => {
    const { embedders } = await choose({ kind: 'lsa' });
    const { embedder } = await embedders.building(TEXTS);
    const fingerprint = { embedder: embedder.fingerprint, dimensions: embedder.dimensions, chunker: 'x' };
    await assert.rejects(
      embedders.reading(fingerprint, async () => undefined),
      { problem: 'corrupt' },
    );
    const other = await fitLsa(TEXTS.slice(1));
    await assert.rejects(
      embedders.reading(fingerprint, async () => other),
      { problem: 'other_embedder' },
    );
  });

  it('does not fall on another when the one that was asked for is not there', async () => {
    await assert.rejects(choose({ kind: 'onnx', folder: undefined }), EmbedderError);
  });

  it('starts while a remote one is away, and asks it when it is needed', async () => {
    const { embedders } = await choose({ kind: 'ollama', url: 'http://127.0.0.1:1', model: 'm' });
    await assert.rejects(embedders.building([]), EmbedderError);
  });
});

describe('The local model', () => {
  let model: LocalModel;
  before(async function () {
    this.timeout(120_000);
    const models = process.env['TEST_POLICY_MODELS'] ?? skip(this, 'no local model: set TEST_POLICY_MODELS');
    model = await openLocalModel({ folder: join(models, MODEL_NAME) });
  });
  after(() => model?.close());

  it('gives the vectors its authors publish', async () => {
    const vector = await one(model, 'This is an example sentence');
    const published = [0.0676569, 0.0634959, 0.0487131, 0.079305, 0.037448];
    // A quantised model is near them; the full one hits them.
    const tolerance = model.fingerprint.includes('/fp32/') ? 1e-5 : 2e-2;
    published.forEach((value, i) => assert.ok(Math.abs(value - (vector[i] ?? 0)) < tolerance));
  });

  it('gives a text the same vector alone and among longer ones', async () => {
    const alone = await one(model, TEXTS[0] ?? '');
    const [among = new Float32Array()] = await model.embed([TEXTS[0] ?? '', TEXTS.join(' ').repeat(10)]);
    assert.ok(dot(alone, among) > 0.99);
  });

  it('counts tokens as it reads them', () => {
    assert.equal(model.countTokens('This is an example sentence'), 5);
    assert.ok(model.countTokens('word '.repeat(600)) === 600);
  });

  it('reads any text', async () => {
    for (const vector of await model.embed(['', ' ', '\u0000', '\ud800', '返品', 'x'.repeat(100_000)])) {
      assert.ok(Math.abs(length(vector) - 1) < 1e-3);
    }
  });

  it('reranks what answers above what shares words', async () => {
    const reranker = createMaxSimReranker(model);
    const passages = [
      'You can get your money back for an advance purchase until dispatch.',
      'The order of events in a database is pre-defined and can be anything.',
    ].map((text, i) => ({ id: String(i), text }));
    await reranker.prepare?.(passages);
    const [answering = 0, other = 1] = await reranker.rerank('Can I cancel a pre-order?', passages);
    assert.ok(answering > other);
  });
});

describe('Getting the local model', () => {
  let modelsFolder: string;
  beforeEach(() => {
    modelsFolder = mkdtempSync(join(tmpdir(), 'models-'));
  });
  afterEach(() => rmSync(modelsFolder, { recursive: true, force: true }));
  const pull = (changes: object) =>
    pullModel({ modelsFolder, runtime: false, log: () => undefined, ...changes });
  const isThere = (file: string) => existsSync(join(modelsFolder, MODEL_NAME, file));

  it('keeps nothing that is not the pinned file', async () => {
    const hub = await serveJson(() => ({ body: {} }));
    await assert.rejects(pull({ hub: hub.url }));
    assert.equal(isThere('config.json'), false);
    await hub.close();
  });

  it('says what a folder lacks', async () => {
    await assert.rejects(pull({ from: modelsFolder }), /config\.json is not in/);
  });

  it('refuses weights that are none', () => {
    assert.throws(() => bertToOnnx(Buffer.alloc(16), '{}'));
  });
});
