/** The shapes of products over axes of one's choice, and of chains of matrices. */
import type { Shape } from '../shape.js';
import type { Mismatch } from '../shape-types.js';
import type { DropEach, Places } from './axes.js';
import type { IsTuple, IsUnion } from './known.js';
import type { Differ, TensordotShape } from './products.js';
import type { Option } from './windows.js';

/** Axes of the first operand and of the second, if they are known. */
type Lists<Pairs> = Pairs extends readonly [infer C extends Shape, infer D extends Shape]
  ? [IsTuple<C>, IsTuple<D>, C['length']] extends [true, true, D['length']]
    ? [C, D]
    : 'unknown'
  : 'unknown';

type Whole<Batch extends readonly unknown[], Contract extends readonly unknown[]> = readonly [...Batch, ...Contract];

/** The axes that are paired, as many first ones of them as `Batch` has going along. */
type Met<Op extends string, A extends Shape, B extends Shape, P, Q, Batch extends readonly unknown[]> = P extends Shape
  ? Q extends Shape
    ? number extends P[number] | Q[number]
      ? Shape
      : Unequal<Op, A, B, P, Q> extends infer Fault
        ? [Fault] extends [never]
          ? readonly [...Leading<A, P, Batch>, ...DropEach<A, P[number]>, ...DropEach<B, Q[number]>]
          : Fault
        : never
    : Q
  : P;

/** What is wrong with the lengths of axes that are paired. */
type Unequal<Op extends string, A extends Shape, B extends Shape, P, Q> = P extends readonly [
  infer I extends number,
  ...infer Is,
]
  ? Q extends readonly [infer J extends number, ...infer Js]
    ? Differ<A[I], B[J]> extends true
      ? Mismatch<`${Op}: axis ${I} of the first and axis ${J} of the second are paired, but their lengths ${A[I]} and ${B[J]} differ`>
      : Unequal<Op, A, B, Is, Js>
    : never
  : never;

/** The lengths in the first of these places, as many as `Count` has entries. */
type Leading<
  A extends Shape,
  P,
  Count extends readonly unknown[],
  Out extends Shape = readonly [],
> = Count extends readonly [unknown, ...infer Others]
  ? P extends readonly [infer I extends number, ...infer Rest]
    ? Leading<A, Rest, Others, readonly [...Out, A[I]]>
    : Out
  : Out;

/** dotGeneral: pairs of axes that are summed over, and pairs that go along. */
export type DotGeneralShape<
  Op extends string,
  A extends Shape,
  B extends Shape,
  Contract,
  Batch = readonly [readonly [], readonly []],
> = [IsTuple<A>, IsTuple<B>, IsUnion<Contract>, IsUnion<Batch>] extends [true, true, false, false]
  ? [Lists<Contract>, Lists<Batch>] extends [
      [infer C extends Shape, infer D extends Shape],
      [infer P extends Shape, infer Q extends Shape],
    ]
    ? Met<Op, A, B, Places<Op, A['length'], Whole<P, C>>, Places<Op, B['length'], Whole<Q, D>>, P>
    : Shape
  : Shape;

/** The same with the pairs among options. */
export type DotGeneralOf<A extends Shape, B extends Shape, O> = DotGeneralShape<
  'dotGeneral',
  A,
  B,
  Option<O, 'contract', unknown>,
  Option<O, 'batch', readonly [readonly [], readonly []]>
>;

type Listed<L> = L extends number ? readonly [L] : L;

/** tensordot: over a number of axes, or over pairs of them. */
export type TensordotOver<A extends Shape, B extends Shape, Axes> = [Axes] extends [
  readonly [infer L extends number | Shape, infer R extends number | Shape],
]
  ? DotGeneralShape<'tensordot', A, B, readonly [Listed<L>, Listed<R>]>
  : TensordotShape<A, B, Axes>;

/** multiDot: a chain of matrices, of which the first and the last may be vectors. */
export type ChainShape<Ops extends readonly unknown[]> = Ops extends readonly [
  infer First extends Shape,
  ...infer Others,
]
  ? IsTuple<First> extends false
    ? Shape
    : First extends readonly [infer M extends number, infer K extends number]
      ? Others extends readonly []
        ? First
        : Linked<Others, readonly [M], K>
      : First extends readonly [infer K extends number]
        ? Others extends readonly []
          ? Mismatch<'multiDot: operand 0 is no matrix'>
          : Linked<Others, readonly [], K>
        : Mismatch<'multiDot: operand 0 is no matrix'>
  : Shape;

/** The same of tensors. */
export type ChainOf<T extends readonly { readonly shape: Shape }[]> = ChainShape<{
  readonly [I in keyof T]: T[I]['shape'];
}>;

/** The axis of rows, if there is one; how many columns there are so far; the operands that were read but the first. */
type Linked<Ops, Front extends Shape, K extends number, Read extends readonly unknown[] = []> = Ops extends readonly [
  infer X extends Shape,
  ...infer Others,
]
  ? IsTuple<X> extends false
    ? Shape
    : X extends readonly [infer L extends number, infer N extends number]
      ? Differ<K, L> extends true
        ? Mismatch<`multiDot: operand ${Read['length']} has ${K} columns and operand ${[...Read, X]['length'] & number} has ${L} rows`>
        : Linked<Others, Front, N, [...Read, X]>
      : [X, Others] extends [readonly [infer L extends number], readonly []]
        ? Differ<K, L> extends true
          ? Mismatch<`multiDot: operand ${Read['length']} has ${K} columns and operand ${[...Read, X]['length'] & number} has ${L} rows`>
          : Front
        : Mismatch<`multiDot: operand ${[...Read, X]['length'] & number} is no matrix`>
  : Ops extends readonly []
    ? readonly [...Front, K]
    : Shape;
