/** Contractions of float32 as products of matrices out of packed panels. */
import type { Source } from '../../compile/cluster.js';
import type { Instruction } from '../../compile/program.js';
import { freeAxes } from '../../primitives/contraction.js';
import type { DotParams } from '../../primitives/signatures.js';
import { sizeOf } from '../../shape.js';
import { reshaped, type View } from '../../view.js';
import { blockColumns, blockRows } from './library.js';

/** How an operand is walked through, in bytes: between batches, between rows, along the depth. */
export type Strides = readonly [batch: number, row: number, depth: number];

/** [batch, rows, depth] · [batch, columns, depth] */
export interface Product {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly lhs: Strides;
  readonly rhs: Strides;
}

const isProduct = ({ op, aval, inputAvals }: Instruction): boolean =>
  op === 'dotGeneral' && aval.dtype === 'float32' && inputAvals.every(({ shape }) => sizeOf(shape) > 0);

/** Batch, free and contracted axes of an operand. */
const axesOf = ({ params, inputAvals }: Instruction, operand: number): readonly (readonly number[])[] => {
  const { lhsContract, rhsContract, lhsBatch, rhsBatch } = params as unknown as DotParams;
  const [contract, batch] = operand === 0 ? [lhsContract, lhsBatch] : [rhsContract, rhsBatch];
  return [batch, freeAxes(inputAvals[operand]!.shape.length, contract, batch), contract];
};

const count = (view: View, axes: readonly number[]): number => axes.reduce((p, axis) => p * view.shape[axis]!, 1);

/** The strides of an operand seen through a view; null where its axes do not go together. */
export const operandOf = (instruction: Instruction, operand: number, view: View): Strides | null => {
  if (!isProduct(instruction)) return null;
  const strides = axesOf(instruction, operand).map(axes => {
    if (axes.some(axis => view.valid[axis] !== null)) return null;
    const part: View = {
      shape: axes.map(axis => view.shape[axis]!),
      offset: 0,
      strides: axes.map(axis => view.strides[axis]!),
      valid: axes.map(() => null),
    };
    const joined = reshaped(part, [count(view, axes)]);
    return joined === null ? null : 4 * joined.strides[0]!;
  });
  return strides.includes(null) ? null : (strides as unknown as Strides);
};

export const productOf = (instruction: Instruction, operands: readonly Source[]): Product | null => {
  if (!isProduct(instruction)) return null;
  const [left, right] = operands as [Source, Source];
  const [batch, free, contract] = axesOf(instruction, 0);
  return {
    batch: count(left.view, batch!),
    rows: count(left.view, free!),
    columns: count(right.view, axesOf(instruction, 1)[1]!),
    depth: count(left.view, contract!),
    lhs: operandOf(instruction, 0, left.view)!,
    rhs: operandOf(instruction, 1, right.view)!,
  };
};

/** Rows up to which packing the right operand takes longer than it saves, and its bytes up to which it stays in the cache. */
const fewRows = 256;
const cachedBytes = 2 ** 19;

/** Whether the right operand is read where it is: its columns lie side by side. */
export const isDirect = ({ rows, columns, depth, rhs }: Product): boolean =>
  rhs[1] === 4 && rows <= fewRows && 4 * columns * depth <= cachedBytes;

/** The panels a product packs its operands into, and the block for its edges. */
export const panelBytes = (product: Product): { readonly a: number; readonly b: number; readonly edge: number } => {
  const { rows, columns, depth } = product;
  return {
    a: Math.ceil(rows / blockRows) * blockRows * depth * 4,
    b: isDirect(product) ? 0 : Math.ceil(columns / blockColumns) * blockColumns * depth * 4,
    edge: blockRows * blockColumns * 4,
  };
};
