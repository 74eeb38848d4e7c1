/** The shapes of products of matrices and vectors, and of systems of equations. */
import type { Shape } from '../shape.js';
import type { Broadcast, Mismatch } from '../shape-types.js';
import type { Multiply } from './arithmetic.js';
import type { IsTuple, IsUnion } from './known.js';

/** Whether two lengths are known and not the same. */
export type Differ<A extends number, B extends number> = [A] extends [B]
  ? false
  : [B] extends [A]
    ? false
    : true extends IsUnion<A> | IsUnion<B>
      ? false
      : true;

/** Of two lengths that are the same one that is known. */
type Either<A extends number, B extends number> = number extends A ? B : A;

type Inner<K extends number, L extends number, Result> =
  Differ<K, L> extends true ? Mismatch<`matmul: inner dimensions ${K} and ${L} differ`> : Result;

/** Leading axes, broadcast, and those behind them. */
type Stacked<Op extends string, P extends Shape, Q extends Shape, Last extends Shape> = Q extends readonly []
  ? readonly [...P, ...Last]
  : P extends readonly []
    ? readonly [...Q, ...Last]
    : Broadcast<Op, P, Q> extends infer Front
      ? Front extends Shape
        ? readonly [...Front, ...Last]
        : Front
      : never;

/** matmul: (…, m, k) times (…, k, n), leading axes broadcast, vectors as NumPy takes them. */
export type Matmul<A extends Shape, B extends Shape> = [IsTuple<A>, IsTuple<B>] extends [true, true]
  ? MatrixProduct<A, B>
  : Shape;

type NoMatrix<S extends Shape> = S extends readonly [] ? Mismatch<'matmul: a scalar is no matrix'> : Shape;

type MatrixProduct<A extends Shape, B extends Shape> = A extends readonly [
  ...infer P extends Shape,
  infer M extends number,
  infer K extends number,
]
  ? B extends readonly [...infer Q extends Shape, infer L extends number, infer N extends number]
    ? Inner<K, L, Stacked<'matmul', P, Q, readonly [M, N]>>
    : B extends readonly [infer L extends number]
      ? Inner<K, L, readonly [...P, M]>
      : NoMatrix<B>
  : A extends readonly [infer K extends number]
    ? B extends readonly [...infer Q extends Shape, infer L extends number, infer N extends number]
      ? Inner<K, L, readonly [...Q, N]>
      : B extends readonly [infer L extends number]
        ? Inner<K, L, readonly []>
        : NoMatrix<B>
    : NoMatrix<A>;

/** The length of a vector, `number` where the rank is not known; a mismatch for other ranks. */
type VectorLength<Op extends string, S extends Shape> =
  IsTuple<S> extends true
    ? S extends readonly [infer N extends number]
      ? N
      : Mismatch<`${Op}: it takes two vectors, not a tensor of rank ${S['length']}`>
    : number;

/** dot: two vectors of one length. */
export type DotShape<A extends Shape, B extends Shape> =
  VectorLength<'dot', A> extends infer M
    ? VectorLength<'dot', B> extends infer N
      ? M extends number
        ? N extends number
          ? Differ<M, N> extends true
            ? Mismatch<`dot: it takes two vectors of one length, not of ${M} and ${N}`>
            : readonly []
          : N
        : M
      : never
    : never;

/** outer: every element of one vector times every element of the other. */
export type OuterShape<A extends Shape, B extends Shape> =
  VectorLength<'outer', A> extends infer M
    ? VectorLength<'outer', B> extends infer N
      ? M extends number
        ? N extends number
          ? readonly [M, N]
          : N
        : M
      : never
    : never;

/** The last axes of the first, from its end, against the first ones of the second, as many as there are. */
type Met<A extends Shape, B extends Shape, Count extends number, Last extends Shape = []> = Last['length'] extends Count
  ? Paired<Last, B, A>
  : A extends readonly [...infer P extends Shape, infer K extends number]
    ? Met<P, B, Count, [K, ...Last]>
    : Mismatch<`tensordot: ${Count} axes cannot meet, the first operand has ${Last['length']}`>;

type Paired<
  Last extends Shape,
  B extends Shape,
  Left extends Shape,
  Met extends unknown[] = [],
> = Last extends readonly [infer K extends number, ...infer More extends Shape]
  ? B extends readonly [infer L extends number, ...infer Q extends Shape]
    ? Differ<K, L> extends true
      ? Mismatch<`tensordot: axes that meet have the lengths ${K} and ${L}`>
      : Paired<More, Q, Left, [...Met, L]>
    : Mismatch<`tensordot: ${[...Met, ...Last]['length'] & number} axes cannot meet, the second operand has ${Met['length']}`>
  : readonly [...Left, ...B];

/** tensordot over a number of axes; `Shape` where they are named one by one. */
export type TensordotShape<A extends Shape, B extends Shape, Axes = 2> = [
  IsTuple<A>,
  IsTuple<B>,
  IsUnion<Axes>,
] extends [true, true, false]
  ? Axes extends number
    ? number extends Axes
      ? Shape
      : `${Axes}` extends `-${string}` | `${string}.${string}`
        ? Mismatch<`tensordot: the number of axes is a natural number, not ${Axes}`>
        : Met<A, B, Axes>
    : Shape
  : Shape;

/** kron: lengths that are the products of theirs, aligned at the right. */
export type KronShape<A extends Shape, B extends Shape> = [IsTuple<A>, IsTuple<B>] extends [true, true]
  ? Blocks<A, B>
  : Shape;

type Blocks<A extends Shape, B extends Shape, Done extends Shape = []> = A extends readonly [
  ...infer P extends Shape,
  infer M extends number,
]
  ? B extends readonly [...infer Q extends Shape, infer N extends number]
    ? Blocks<P, Q, [Multiply<M, N>, ...Done]>
    : readonly [...A, ...Done]
  : readonly [...B, ...Done];

/** What is said of a rank below 2. */
export type NoMatrices<Op extends string> = `${Op}: the last two axes are rows and columns of matrices`;

type NotSquare<
  Op extends string,
  M extends number,
  N extends number,
> = `${Op}: the last two axes are ${M} and ${N}, not square`;

/** inv, cholesky, expm and their like: the shape of square matrices stays. */
export type Square<Op extends string, A extends Shape> =
  IsTuple<A> extends false
    ? Shape
    : A extends readonly [...Shape, infer M extends number, infer N extends number]
      ? Differ<M, N> extends true
        ? Mismatch<NotSquare<Op, M, N>>
        : A
      : Mismatch<NoMatrices<Op>>;

/** det and its like: a number for each square matrix. */
export type PerSquare<Op extends string, A extends Shape> =
  IsTuple<A> extends false
    ? Shape
    : A extends readonly [...infer Front extends Shape, infer M extends number, infer N extends number]
      ? Differ<M, N> extends true
        ? Mismatch<NotSquare<Op, M, N>>
        : readonly [...Front]
      : Mismatch<NoMatrices<Op>>;

type Rows<Op extends string, N extends number, R extends number, Result> =
  Differ<N, R> extends true ? Mismatch<`${Op}: the matrices have ${N} rows, the right side has ${R}`> : Result;

/** solve, triangularSolve and choleskySolve: square matrices, and a vector or matrices as the right side. */
export type Solve<Op extends string, A extends Shape, Y extends Shape> = false extends IsTuple<A> | IsTuple<Y>
  ? Shape
  : A extends readonly [...infer P extends Shape, infer M extends number, infer N extends number]
    ? Differ<M, N> extends true
      ? Mismatch<NotSquare<Op, M, N>>
      : Y extends readonly [infer R extends number]
        ? Rows<Op, Either<M, N>, R, readonly [...P, Either<Either<M, N>, R>]>
        : Y extends readonly [...infer Q extends Shape, infer R extends number, infer K extends number]
          ? Rows<Op, Either<M, N>, R, Stacked<Op, P, Q, readonly [Either<Either<M, N>, R>, K]>>
          : Y extends readonly []
            ? Mismatch<`${Op}: a right side is a vector, or matrices in its last two axes`>
            : never
    : Mismatch<NoMatrices<Op>>;
