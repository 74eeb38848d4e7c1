/** Contractions of float32 as products of matrices, whatever the order of their axes. */
import type { Source } from '../../../compile/cluster.js';
import type { Instruction } from '../../../compile/program.js';
import { freeAxes } from '../../../primitives/contraction.js';
import type { DotParams } from '../../../primitives/signatures.js';
import { sizeOf } from '../../../shape.js';
import type { View } from '../../../view.js';
import { pairedWalks, strideOf, type Walk, walkOf, walkOfAxes } from './walk.js';

/** out[b, i, j] = Σ left[b, i, k] · right[b, j, k], all strides in bytes. */
export interface Dot {
  readonly kind: 'dot';
  /** Products, and how the operands and the result go from one to the next. */
  readonly batch: {
    readonly lengths: readonly number[];
    readonly left: readonly number[];
    readonly right: readonly number[];
  };
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly left: { readonly rows: Walk; readonly depth: Walk };
  readonly right: { readonly columns: Walk; readonly depth: Walk };
  /** Bytes of the result from row to row and from column to column. */
  readonly out: { readonly row: number; readonly column: number };
  /** Which operand is the left one. */
  readonly leftOperand: 0 | 1;
}

/** A single column is a single row of the product the other way round, and rows are what blocks can be few of. */
const swaps = (rows: number, columns: number): boolean => columns < 4 && rows > columns;

const isDot = ({ op, aval, inputAvals }: Instruction): boolean =>
  op === 'dotGeneral' && aval.dtype === 'float32' && inputAvals.every(({ shape }) => sizeOf(shape) > 0);

/** Whether an operand of a product can be read through a view: all but padding, which packing knows nothing of. */
export const readsDotView = (instruction: Instruction, view: View): boolean =>
  isDot(instruction) && view.valid.every(range => range === null);

export const dotOf = (instruction: Instruction, operands: readonly Source[]): Dot | null => {
  if (!isDot(instruction)) return null;
  const { lhsContract, rhsContract, lhsBatch, rhsBatch } = instruction.params as unknown as DotParams;
  const [lhs, rhs] = operands.map(({ view }) => view) as [View, View];
  const strides = (view: View, axes: readonly number[]): readonly number[] => axes.map(axis => 4 * view.strides[axis]!);
  const lengths = (view: View, axes: readonly number[]): readonly number[] => axes.map(axis => view.shape[axis]!);
  const size = (view: View, axes: readonly number[]): number => sizeOf(lengths(view, axes));
  const [lhsFree, rhsFree] = [
    freeAxes(lhs.shape.length, lhsContract, lhsBatch),
    freeAxes(rhs.shape.length, rhsContract, rhsBatch),
  ];
  const [rows, columns] = [size(lhs, lhsFree), size(rhs, rhsFree)];
  const depthLengths = lengths(lhs, lhsContract);
  const sides = [
    { free: walkOfAxes(lhs, lhsFree), depth: walkOf(depthLengths, strides(lhs, lhsContract)) },
    { free: walkOfAxes(rhs, rhsFree), depth: walkOf(depthLengths, strides(rhs, rhsContract)) },
  ] as const;
  const paired = pairedWalks(lengths(lhs, lhsBatch), strides(lhs, lhsBatch), strides(rhs, rhsBatch));
  const swapped = swaps(rows, columns);
  const [left, right] = swapped ? [sides[1], sides[0]] : sides;
  return {
    kind: 'dot',
    batch: {
      lengths: paired.lengths,
      left: swapped ? paired.second : paired.first,
      right: swapped ? paired.first : paired.second,
    },
    rows: swapped ? columns : rows,
    columns: swapped ? rows : columns,
    depth: sizeOf(depthLengths),
    left: { rows: left.free, depth: left.depth },
    right: { columns: right.free, depth: right.depth },
    out: swapped ? { row: 4, column: 4 * columns } : { row: 4 * columns, column: 4 },
    leftOperand: swapped ? 1 : 0,
  };
};

/** Rows up to which the right operand is read where it is, its columns being neighbours: packing it would cost more than it saves. */
const fewRows = 32;

export const isDirect = ({ rows, right, out }: Dot): boolean =>
  rows <= fewRows && strideOf(right.columns) === 4 && strideOf(right.depth) !== null && out.column === 4;
