/**
 * THE table: one entry a primitive, and everything the library knows about it.
 *
 * It is typed over the names in `signatures.ts`, so TypeScript refuses a primitive that lacks a shape rule, a
 * derivative, a batching rule or a scalar meaning. (What a primitive other than an elementwise one does to
 * arrays is the backends' business; the reference backend's table is typed over the same names.)
 */
import type { Node, Params } from '../graph.js';
import { contraction } from './contraction.js';
import { elementwise } from './elementwise.js';
import type { Contraction, Elementwise, Movement, Reduction, Source, Structured } from './kinds.js';
import { movement } from './movement.js';
import { reduction } from './reduction.js';
import type {
  ContractionPrimitives,
  ElementwisePrimitives,
  MovementPrimitives,
  ParamsOf,
  PrimitiveName,
  ReductionPrimitives,
  SourcePrimitives,
  StructuredPrimitives,
} from './signatures.js';
import { source } from './source.js';
import { structured } from './structured.js';

/** The kind of entry each primitive must have. */
export type Table = {
  readonly [P in PrimitiveName]: P extends keyof SourcePrimitives
    ? Source<ParamsOf<P>>
    : P extends keyof ElementwisePrimitives
      ? Elementwise<ParamsOf<P>>
      : P extends keyof MovementPrimitives
        ? Movement<ParamsOf<P>>
        : P extends keyof ReductionPrimitives
          ? Reduction<ParamsOf<P>>
          : P extends keyof ContractionPrimitives
            ? Contraction<ParamsOf<P>>
            : P extends keyof StructuredPrimitives
              ? Structured<ParamsOf<P>>
              : never;
};

export const table: Table = {
  ...source,
  ...elementwise,
  ...movement,
  ...reduction,
  ...contraction,
  ...structured,
};

/** An entry whose parameters are not known statically. */
export type AnyEntry =
  | Source<Params>
  | Elementwise<Params>
  | Movement<Params>
  | Reduction<{ axes: readonly number[] }>
  | Contraction<Params>
  | Structured<Params>;

/** The entry of a node's primitive. */
export const entryOf = (op: string): AnyEntry => (table as unknown as Readonly<Record<string, AnyEntry>>)[op]!;

/** The parameters of a reduction node. */
export const axesOf = (node: Node): { axes: readonly number[] } =>
  node.params as unknown as { axes: readonly number[] };
