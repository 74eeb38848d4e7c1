/** The programs that ONNX has a node for. */
import { type ProgramName, paddingOf } from '../library.js';

type Shape = readonly number[];

export interface OnnxNode {
  readonly op: string;
  /** Which inputs of the program are its operands, in its order. */
  readonly operands: readonly number[];
  /** Numbers, or lists of numbers, none of them negative. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

type NodeOf = (...shapes: readonly Shape[]) => OnnxNode;

const window = (kernel: Shape, stride: number) => {
  const padding = paddingOf(kernel[3]!);
  return { strides: [stride, stride], pads: [padding, padding, padding, padding] };
};

const convolution =
  (stride: number): NodeOf =>
  (_, kernel) => ({ op: 'Conv', operands: [0, 1], attributes: window(kernel!, stride) });

/** The gradient of the input, which a transposed convolution is. */
const transposed =
  (stride: number): NodeOf =>
  (x, kernel, g) => {
    const attributes = window(kernel!, stride);
    // The rows and columns of the input that no window begins at any more.
    const rest = x![3]! - ((g![3]! - 1) * stride + kernel![3]! - 2 * attributes.pads[0]!);
    return { op: 'ConvTranspose', operands: [2, 1], attributes: { ...attributes, output_padding: [rest, rest] } };
  };

const nodes: Partial<Record<ProgramName, NodeOf>> = {
  matmul: () => ({ op: 'MatMul', operands: [0, 1] }),
  matmulLeft: () => ({ op: 'Gemm', operands: [0, 1], attributes: { transA: 1 } }),
  matmulRight: () => ({ op: 'Gemm', operands: [0, 1], attributes: { transB: 1 } }),
  conv: convolution(1),
  'conv/2': convolution(2),
  convInput: transposed(1),
  'convInput/2': transposed(2),
};

export const hasNode = (program: ProgramName): boolean => program in nodes;

/** The node that is the program, with inputs of these shapes. */
export const nodeOf = (program: ProgramName, shapes: readonly Shape[]): OnnxNode => nodes[program]!(...shapes);
