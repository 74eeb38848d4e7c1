/**
 * The primitives' names and signatures: the whole vocabulary of the graph, and the only place where it is
 * listed. The table (`table.ts`) must have an entry for each of these; constructors, transforms and backends
 * are typed by them.
 *
 * Arguments are nodes first, then the static parameters. Elementwise primitives take operands of one shape and
 * dtype: broadcasting and promotion are written out as nodes by the operations above.
 */
import type { DType } from '../dtype.js';
import type { DynamicNumber, Graph, Node, Scope } from '../graph.js';
import type { Shape } from '../shape.js';
import type { CustomParams } from './custom.js';
import type { ExternalParams } from './external.js';

/** No inputs. */
export interface SourcePrimitives {
  /** A scalar. */
  constant(params: { value: DynamicNumber; dtype: DType }): Node;
  /** 0, 1, 2, … along the axis, the same along the others. */
  iota(params: { shape: Shape; dtype: DType; axis: number }): Node;
  /** A value that is there already. */
  buffer(params: { shape: Shape; dtype: DType }): Node;
  /** An argument of a body graph, by position. */
  parameter(params: { index: number; shape: Shape; dtype: DType }): Node;
}

/** One element out for one element of each operand in. */
export interface ElementwisePrimitives {
  neg(x: Node): Node;
  abs(x: Node): Node;
  sign(x: Node): Node;
  floor(x: Node): Node;
  ceil(x: Node): Node;
  /** Halves go to the even neighbour. */
  round(x: Node): Node;
  exp(x: Node): Node;
  expm1(x: Node): Node;
  log(x: Node): Node;
  log1p(x: Node): Node;
  sqrt(x: Node): Node;
  rsqrt(x: Node): Node;
  sin(x: Node): Node;
  cos(x: Node): Node;
  tan(x: Node): Node;
  tanh(x: Node): Node;
  sigmoid(x: Node): Node;
  erf(x: Node): Node;
  /** 1 − erf x, and what erf takes to x. */
  erfc(x: Node): Node;
  erfinv(x: Node): Node;
  asin(x: Node): Node;
  acos(x: Node): Node;
  atan(x: Node): Node;
  sinh(x: Node): Node;
  cosh(x: Node): Node;
  asinh(x: Node): Node;
  acosh(x: Node): Node;
  atanh(x: Node): Node;
  /** The angle of the point (x, y) in (−π, π]. */
  atan2(y: Node, x: Node): Node;
  /** √(x² + y²) without overflow on the way. */
  hypot(x: Node, y: Node): Node;
  /** log(eˣ + eʸ). */
  logaddexp(x: Node, y: Node): Node;
  /** log |Γ(x)|; +∞ at the poles. */
  lgamma(x: Node): Node;
  /** The derivatives of log Γ from the first (order 0: digamma) on. */
  polygamma(x: Node, params: { order: number }): Node;
  /** Bitwise on integers, logical on bool. */
  not(x: Node): Node;
  /** The same value, through which no derivative flows. */
  stopGradient(x: Node): Node;
  cast(x: Node, params: { dtype: DType }): Node;
  add(x: Node, y: Node): Node;
  sub(x: Node, y: Node): Node;
  mul(x: Node, y: Node): Node;
  /** Floats only. */
  div(x: Node, y: Node): Node;
  /** Remainder with the sign of the dividend, as C's fmod; an integer remainder by 0 is 0. */
  rem(x: Node, y: Node): Node;
  pow(x: Node, y: Node): Node;
  /** NaN if either is. */
  max(x: Node, y: Node): Node;
  min(x: Node, y: Node): Node;
  /** Bitwise on integers, logical on bool; so are or and xor. */
  and(x: Node, y: Node): Node;
  or(x: Node, y: Node): Node;
  xor(x: Node, y: Node): Node;
  /** Shifts by 32 or more give 0 (arithmetic right shifts: the sign). */
  shiftLeft(x: Node, y: Node): Node;
  shiftRight(x: Node, y: Node): Node;
  shiftRightLogical(x: Node, y: Node): Node;
  eq(x: Node, y: Node): Node;
  ne(x: Node, y: Node): Node;
  lt(x: Node, y: Node): Node;
  le(x: Node, y: Node): Node;
  gt(x: Node, y: Node): Node;
  ge(x: Node, y: Node): Node;
  select(condition: Node, x: Node, y: Node): Node;
  /** One block of the Threefry-2x32 cipher a place: key words, counter words; `xor` gives word 0 ^ word 1. */
  threefry2x32(
    key0: Node,
    key1: Node,
    counter0: Node,
    counter1: Node,
    params: { rounds: number; word: 0 | 1 | 'xor' },
  ): Node;
}

/** Elements go to other places; linear in the operands they move. */
export interface MovementPrimitives {
  reshape(x: Node, params: { shape: Shape }): Node;
  permute(x: Node, params: { axes: readonly number[] }): Node;
  /** NumPy's rule: aligned at the right, axes of length 1 repeat. */
  broadcast(x: Node, params: { shape: Shape }): Node;
  /** Steps are positive. */
  slice(x: Node, params: { start: readonly number[]; stop: readonly number[]; step: readonly number[] }): Node;
  /** Zeros before, after and between the elements of each axis. */
  pad(x: Node, params: { low: readonly number[]; high: readonly number[]; interior: readonly number[] }): Node;
  flip(x: Node, params: { axes: readonly number[] }): Node;
  concat(xs: readonly Node[], params: { axis: number }): Node;
  /** x[…, indices, …] along one axis. An index outside gives NaN (floats) or 0. */
  gather(x: Node, indices: Node, params: { axis: number }): Node;
  /** The transpose of gather: zeros with the updates added at the indices. Indices outside are dropped. */
  scatterAdd(updates: Node, indices: Node, params: { axis: number; length: number }): Node;
  /** Each element with all before it along the axis added up; with all behind it if `reverse`. */
  cumsum(x: Node, params: ScanParams): Node;
  /** What a derivative being taken is taken with respect to; an identity. */
  mark(x: Node, params: { scope: Scope }): Node;
}

/** Axes disappear. */
export interface ReductionPrimitives {
  sum(x: Node, params: { axes: readonly number[] }): Node;
  reduceMax(x: Node, params: { axes: readonly number[] }): Node;
  reduceMin(x: Node, params: { axes: readonly number[] }): Node;
  prod(x: Node, params: { axes: readonly number[] }): Node;
  /** Index of the first largest; a NaN is larger than everything. One axis. */
  argmax(x: Node, params: { axes: readonly number[] }): Node;
  argmin(x: Node, params: { axes: readonly number[] }): Node;
}

/** Axes of two operands meet; bilinear. */
export interface ContractionPrimitives {
  /** Result axes: batch, then what is left of lhs, then of rhs. */
  dotGeneral(lhs: Node, rhs: Node, params: DotParams): Node;
  /**
   * Σ input · kernel · output over all places where a kernel lies on an input, without the one of the three that is the
   * result. Operands are the other two, in the order input, kernel, output. See `convolution.ts`.
   */
  conv(x: Node, y: Node, params: ConvParams): Node;
}

/** Which axes of the operands are paired. */
export interface DotParams {
  readonly lhsContract: readonly number[];
  readonly rhsContract: readonly number[];
  readonly lhsBatch: readonly number[];
  readonly rhsBatch: readonly number[];
}

/** The three that meet in a convolution: input [n, g, c, …s], kernel [g, o, c, …k], output [n, g, o, …t]. */
export type ConvRole = 'input' | 'kernel' | 'output';

/** By spatial axis, of which there may be any number: s = t · stride + k · dilation − low. */
export interface ConvParams {
  /** Which of the three is the result. */
  readonly of: ConvRole;
  readonly strides: readonly number[];
  readonly dilation: readonly number[];
  /** Zeros before and after the input; negative numbers leave elements of it out. */
  readonly padding: readonly (readonly [low: number, high: number])[];
  /** Spatial lengths of the result. */
  readonly size: readonly number[];
}

/** Primitives with body graphs, and those with a calculus of their own. */
export interface StructuredPrimitives {
  /** One result of a primitive that has several. */
  output(x: Node, params: { index: number }): Node;
  /** The body applied to the inputs. */
  call(inputs: readonly Node[], params: { body: Graph }): Node;
  /**
   * The body applied to the inputs (captures, arguments), with a derivative or batching rule of its own. A program has the
   * operations of the body in its place.
   */
  custom(inputs: readonly Node[], params: CustomParams): Node;
  /** A function of elements that somebody outside of the library wrote; it computes where JavaScript runs. */
  external(inputs: readonly Node[], params: ExternalParams): Node;
  /**
   * A loop of known length. Inputs: captures, first carries, sequences; body: (captures, carries, slices) to
   * (carries, slices out); results: last carries, stacked slices. `reverse` walks the sequences backwards.
   */
  fold(inputs: readonly Node[], params: FoldParams): Node;
  /** Inputs: index, operands. The branch at the (clamped) index is applied to the operands. */
  cond(inputs: readonly Node[], params: { branches: readonly Graph[] }): Node;
  /** Inputs: captures of test, captures of body, first carries. Runs body while test holds. */
  while(inputs: readonly Node[], params: WhileParams): Node;
  /** Positions that sort an axis ascending, equal elements in their order, NaN last; the first `count` of them. */
  argsort(x: Node, params: { axis: number; count?: number }): Node;
  /** h[i] = factors[i] · h[i − 1] + x[i] along the axis, h[0] = x[0]; from the end to the start if `reverse`. */
  recurrence(factors: Node, x: Node, params: ScanParams): Node;
  /** Where the largest element so far is, the latest of equal ones; a NaN is larger than everything. */
  cumargmax(x: Node, params: { axis: number }): Node;
  cumargmin(x: Node, params: { axis: number }): Node;
  /**
   * The lower triangular factor L of x = L·Lᵀ, matrices on the last two axes. Reads the lower triangle; from the first pivot on
   * that is not positive, rows and columns are NaN.
   */
  cholesky(x: Node): Node;
  /** The solution of op(a)·x = y for matrices on the last two axes, the others being equal. Reads one triangle of a. */
  triangularSolve(a: Node, y: Node, params: TriangularParams): Node;
  /**
   * Gaussian elimination with rows exchanged for the largest pivot. Results: U with L below its diagonal (whose own is 1), and
   * which row of x each row of L·U is. A column without a pivot is left as it is.
   */
  lu(x: Node): Node;
  /**
   * U·x for matrices on the last two axes, with an orthogonal U that makes the first `columns` elements of the rows orthogonal to
   * each other: what stands behind them is turned along. By one-sided Jacobi rotations, until no pair is further from
   * orthogonal than rounding leaves it. Rows keep no order. No derivative: what is made of it knows its own.
   */
  orthogonalRows(x: Node, params: { columns: number }): Node;
}

/** Which triangle of a matrix is read, whether it is transposed, and whether its diagonal counts as 1 without being read. */
export interface TriangularParams {
  readonly upper: boolean;
  readonly transpose: boolean;
  readonly unit: boolean;
}

/** Along which axis, and from which end. */
export interface ScanParams {
  readonly axis: number;
  readonly reverse: boolean;
}

export interface FoldParams {
  readonly body: Graph;
  readonly length: number;
  readonly captures: number;
  readonly carries: number;
  readonly reverse: boolean;
  /** Matters on the way back alone: how many segments the steps are cut into, those of a segment again, and so on. */
  readonly segments?: readonly number[];
}

export interface WhileParams {
  readonly test: Graph;
  readonly body: Graph;
  readonly testCaptures: number;
  readonly bodyCaptures: number;
}

interface Primitives
  extends SourcePrimitives,
    ElementwisePrimitives,
    MovementPrimitives,
    ReductionPrimitives,
    ContractionPrimitives,
    StructuredPrimitives {}

export type PrimitiveName = keyof Primitives;

/** The constructors, as rules get them: a rule says what to build, not how nodes come about. */
export type Build = { readonly [P in PrimitiveName]: Primitives[P] };

type Last<T extends readonly unknown[]> = T extends readonly [...unknown[], infer L] ? L : never;

/** The static parameters of a primitive; `{}` where it has none. */
export type ParamsOf<P extends PrimitiveName> =
  Last<Parameters<Primitives[P]>> extends infer L
    ? L extends Node | readonly Node[]
      ? Readonly<Record<never, never>>
      : Readonly<L>
    : never;
