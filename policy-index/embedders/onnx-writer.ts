/** The few parts of ONNX's protobuf format that a transformer needs. */

const VARINT = 0;
const FIXED32 = 5;
const LENGTH = 2;

export const ONNX_TYPE = { float: 1, int64: 7 } as const;
const ATTRIBUTE_TYPE = { float: 1, int: 2, ints: 7 } as const;

export type Attribute =
  | { readonly name: string; readonly int: number }
  | { readonly name: string; readonly float: number }
  | { readonly name: string; readonly ints: readonly number[] };

export type TensorType = (typeof ONNX_TYPE)[keyof typeof ONNX_TYPE];

/** Puts a graph together node by node; tensors are named by what they hold. */
export function createGraphWriter() {
  const nodes: Buffer[] = [];
  const constants: Buffer[] = [];
  let unnamed = 0;

  function node(
    type: string,
    inputs: readonly string[],
    attributes: readonly Attribute[] = [],
    name?: string,
  ): string {
    const output = name ?? `t${(unnamed += 1)}`;
    const parts = [
      ...inputs.map((input) => text(1, input)),
      text(2, output),
      text(3, `${output}_${type}`),
      text(4, type),
      ...attributes.map((attribute) => bytes(5, encode(attribute))),
    ];
    nodes.push(bytes(1, Buffer.concat(parts)));
    return output;
  }

  function constant(name: string, dims: readonly number[], type: TensorType, data: Buffer): string {
    const parts = [...dims.map((dim) => int(1, dim)), int(2, type), text(8, name), bytes(9, data)];
    constants.push(bytes(5, Buffer.concat(parts)));
    return name;
  }

  /** The whole model: opset 17, which the runtime has known since 2022. */
  function model(inputs: readonly Buffer[], output: Buffer): Buffer {
    const graph = [
      ...nodes,
      text(2, 'encoder'),
      ...constants,
      ...inputs.map((each) => bytes(11, each)),
      bytes(12, output),
    ];
    const opset = Buffer.concat([text(1, ''), int(2, 17)]);
    return Buffer.concat([
      int(1, 8),
      text(2, 'countersign'),
      bytes(7, Buffer.concat(graph)),
      bytes(8, opset),
    ]);
  }

  return { node, constant, model };
}

export function valueInfo(name: string, type: TensorType, dims: readonly (string | number)[]): Buffer {
  const shape = dims.map((dim) => bytes(1, typeof dim === 'string' ? text(2, dim) : int(1, dim)));
  const tensor = Buffer.concat([int(1, type), bytes(2, Buffer.concat(shape))]);
  return Buffer.concat([text(1, name), bytes(2, bytes(1, tensor))]);
}

export function int64s(...values: readonly number[]): Buffer {
  return Buffer.from(BigInt64Array.from(values.map(BigInt)).buffer);
}

export function float32s(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function encode(attribute: Attribute): Buffer {
  if ('int' in attribute) {
    return Buffer.concat([text(1, attribute.name), int(3, attribute.int), int(20, ATTRIBUTE_TYPE.int)]);
  }
  if ('float' in attribute) {
    const value = Buffer.concat([varint((2 << 3) | FIXED32), float32s(Float32Array.of(attribute.float))]);
    return Buffer.concat([text(1, attribute.name), value, int(20, ATTRIBUTE_TYPE.float)]);
  }
  const values = attribute.ints.map((value) => int(8, value));
  return Buffer.concat([text(1, attribute.name), ...values, int(20, ATTRIBUTE_TYPE.ints)]);
}

function int(field: number, value: number): Buffer {
  return Buffer.concat([varint((field << 3) | VARINT), varint(value)]);
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value));
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | LENGTH), varint(value.length), value]);
}

/** Seven bits a byte, least first; a negative number as its 64-bit complement. */
function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    out.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Buffer.from(out);
}
