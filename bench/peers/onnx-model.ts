/**
 * Models for ONNX Runtime, made in memory: the few messages of onnx.proto that a graph of one node needs, in the wire
 * format of protocol buffers. All values are float32.
 */
import type { OnnxNode } from './onnx-nodes.js';

/** Bytes. */
type Message = readonly number[];

const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);

/** A field with a number: wire type 0. */
const int = (field: number, value: number): Message => [...varint(8 * field), ...varint(value)];

/** A field with a message: wire type 2. */
const message = (field: number, ...parts: readonly Message[]): Message => {
  const bytes = parts.flat();
  return [...varint(8 * field + 2), ...varint(bytes.length), ...bytes];
};

const text = (field: number, value: string): Message => message(field, [...new TextEncoder().encode(value)]);

/** AttributeProto: name 1, i 3, ints 8, type 20 (2 is INT, 7 is INTS). */
const attribute = (name: string, value: number | readonly number[]): Message =>
  typeof value === 'number'
    ? message(5, text(1, name), int(3, value), int(20, 2))
    : message(
        5,
        text(1, name),
        value.flatMap(each => int(8, each)),
        int(20, 7),
      );

/** ValueInfoProto: name 1, type 2; in that tensor_type 1; in that elem_type 1 (1 is FLOAT), shape 2 of dims 1. */
const valueInfo = (field: number, name: string, shape?: readonly number[]): Message => {
  const dims = shape === undefined ? [] : [message(2, ...shape.map(length => message(1, int(1, length))))];
  return message(field, text(1, name), message(2, message(1, int(1, 1), ...dims)));
};

export interface OnnxInput {
  readonly name: string;
  readonly shape: readonly number[];
}

/** NodeProto: input 1, output 2, op_type 4, attribute 5. */
const nodeProto = ({ op, attributes = {} }: OnnxNode, inputs: readonly OnnxInput[], output: string): Message =>
  message(
    1,
    ...inputs.map(({ name }) => text(1, name)),
    text(2, output),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  );

/**
 * ModelProto: ir_version 1, graph 7, opset_import 8. GraphProto: node 1, name 2, input 11, output 12.
 *
 * @param inputs the operands of the node, in its order
 */
export const onnxModel = (node: OnnxNode, inputs: readonly OnnxInput[], output: string): Uint8Array =>
  Uint8Array.from([
    ...int(1, 8),
    ...message(
      7,
      nodeProto(node, inputs, output),
      text(2, 'graph'),
      ...inputs.map(({ name, shape }) => valueInfo(11, name, shape)),
      valueInfo(12, output),
    ),
    // OperatorSetIdProto: version 2.
    ...message(8, int(2, 17)),
  ]);
