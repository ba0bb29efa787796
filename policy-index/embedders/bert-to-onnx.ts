import { z } from 'zod';
import { createGraphWriter, float32s, int64s, ONNX_TYPE, valueInfo } from './onnx-writer.ts';

const CONFIG = z.object({
  model_type: z.literal('bert'),
  hidden_act: z.literal('gelu'),
  hidden_size: z.int().positive(),
  num_attention_heads: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  max_position_embeddings: z.int().positive(),
  layer_norm_eps: z.number().positive(),
});

const TENSORS = z.record(
  z.string(),
  z.union([
    z.object({ dtype: z.literal('F32'), shape: z.array(z.int()), data_offsets: z.tuple([z.int(), z.int()]) }),
    z.looseObject({}),
  ]),
);

/** Less than any score that a softmax could still see. */
const MASKED = -3.4028234663852886e38;

/**
 * Makes an ONNX graph of a BERT encoder's weights (safetensors) and its configuration: input ids, mask and types in,
 * the last hidden state out. The same weights give the same bytes.
 *
 * @throws when a tensor is missing or of another kind.
 */
export function bertToOnnx(weights: Buffer, configJson: string): Buffer {
  const config = CONFIG.parse(JSON.parse(configJson));
  const tensor = tensorsOf(weights);
  const { node, constant, model } = createGraphWriter();
  const { hidden_size: width, num_attention_heads: heads, layer_norm_eps: epsilon } = config;
  const headWidth = width / heads;

  const float = (name: string, value: number) =>
    constant(name, [], ONNX_TYPE.float, float32s(Float32Array.of(value)));
  const ints = (name: string, ...values: number[]) =>
    constant(name, [values.length], ONNX_TYPE.int64, int64s(...values));
  const weight = (name: string) => {
    const { dims, values } = tensor(name);
    return constant(name, dims, ONNX_TYPE.float, float32s(values));
  };
  const transposed = (name: string) => {
    const { dims, values } = tensor(name);
    const [rows = 0, columns = 0] = dims;
    const turned = new Float32Array(values.length);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        turned[column * rows + row] = values[row * columns + column] ?? 0;
      }
    }
    return constant(`${name}_T`, [columns, rows], ONNX_TYPE.float, float32s(turned));
  };
  const normalised = (x: string, name: string) =>
    node(
      'LayerNormalization',
      [x, weight(`${name}.weight`), weight(`${name}.bias`)],
      [
        { name: 'axis', int: -1 },
        { name: 'epsilon', float: epsilon },
      ],
    );
  const dense = (x: string, name: string) =>
    node('Add', [node('MatMul', [x, transposed(`${name}.weight`)]), weight(`${name}.bias`)]);
  const gathered = (name: string, ids: string) =>
    node('Gather', [weight(`embeddings.${name}_embeddings.weight`), ids], [{ name: 'axis', int: 0 }]);

  const one = float('one', 1);
  const half = float('half', 0.5);
  const rootOfTwo = float('root_of_two', Math.SQRT2);
  const scale = float('scale', Math.sqrt(headWidth));
  const byHeads = ints('by_heads', 0, 0, heads, headWidth);
  const joined = ints('joined', 0, 0, width);
  const zero = ints('zero', 0);
  const first = ints('first', 1);

  const positionIds = constant(
    'position_ids',
    [1, config.max_position_embeddings],
    ONNX_TYPE.int64,
    int64s(...Array.from({ length: config.max_position_embeddings }, (_, i) => i)),
  );
  const length = node('Gather', [node('Shape', ['input_ids']), first], [{ name: 'axis', int: 0 }]);
  const positions = node('Slice', [positionIds, zero, length, first]);
  const summed = node('Add', [
    node('Add', [gathered('word', 'input_ids'), gathered('token_type', 'token_type_ids')]),
    gathered('position', positions),
  ]);
  const present = node(
    'Cast',
    [node('Unsqueeze', ['attention_mask', ints('axes', 1, 2)])],
    [{ name: 'to', int: ONNX_TYPE.float }],
  );
  const mask = node('Mul', [node('Sub', [one, present]), float('masked', MASKED)]);

  let x = normalised(summed, 'embeddings.LayerNorm');
  for (let layer = 0; layer < config.num_hidden_layers; layer += 1) {
    const at = `encoder.layer.${layer}`;
    const split = (part: string, order: readonly number[]) =>
      node(
        'Transpose',
        [node('Reshape', [dense(x, `${at}.attention.self.${part}`), byHeads])],
        [{ name: 'perm', ints: order }],
      );
    const scores = node('Div', [
      node('MatMul', [split('query', [0, 2, 1, 3]), split('key', [0, 2, 3, 1])]),
      scale,
    ]);
    const attention = node('Softmax', [node('Add', [scores, mask])], [{ name: 'axis', int: -1 }]);
    const heard = node(
      'Transpose',
      [node('MatMul', [attention, split('value', [0, 2, 1, 3])])],
      [{ name: 'perm', ints: [0, 2, 1, 3] }],
    );
    const attended = dense(node('Reshape', [heard, joined]), `${at}.attention.output.dense`);
    x = normalised(node('Add', [attended, x]), `${at}.attention.output.LayerNorm`);
    const inner = dense(x, `${at}.intermediate.dense`);
    const bell = node('Add', [node('Erf', [node('Div', [inner, rootOfTwo])]), one]);
    const gelu = node('Mul', [node('Mul', [inner, bell]), half]);
    x = normalised(node('Add', [dense(gelu, `${at}.output.dense`), x]), `${at}.output.LayerNorm`);
  }
  node('Identity', [x], [], 'last_hidden_state');

  const inputs = ['input_ids', 'attention_mask', 'token_type_ids'].map((name) =>
    valueInfo(name, ONNX_TYPE.int64, ['batch', 'sequence']),
  );
  return model(inputs, valueInfo('last_hidden_state', ONNX_TYPE.float, ['batch', 'sequence', width]));
}

/** Reads safetensors: the length of a JSON header, the header, the numbers. */
function tensorsOf(weights: Buffer): (name: string) => { dims: readonly number[]; values: Float32Array } {
  const headerBytes = Number(weights.readBigUInt64LE(0));
  const header = TENSORS.parse(JSON.parse(weights.toString('utf8', 8, 8 + headerBytes)));
  const prefix = 'embeddings.word_embeddings.weight' in header ? '' : 'bert.';
  return (name) => {
    const described = header[`${prefix}${name}`];
    if (!described || !('data_offsets' in described) || !Array.isArray(described.data_offsets)) {
      throw new Error(`The weights have no tensor ${name} of single precision.`);
    }
    const { shape, data_offsets: offsets } = z
      .object({ shape: z.array(z.int()), data_offsets: z.tuple([z.int(), z.int()]) })
      .parse(described);
    const bytes = weights.subarray(8 + headerBytes + offsets[0], 8 + headerBytes + offsets[1]);
    return { dims: shape, values: new Float32Array(Uint8Array.from(bytes).buffer) };
  };
}
