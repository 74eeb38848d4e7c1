/** Shapes and dtypes of draws, from those of their parameters. */
import type { FloatDType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Broadcast, Mismatch } from '../tensor/shape-types.js';
import type { Tensor } from '../tensor/tensor.js';
import type { IsAny, Show } from '../tensor/types/known.js';
import type { ShapeOf } from '../tensor/types/operands.js';
import type { BroadcastTo } from '../tensor/types/reshaping.js';
import type { Parameter } from './parameters.js';

/** The shape of two parameters together. */
export type ShapeOfBoth<Op extends string, P, Q> = Broadcast<Op, ShapeOf<P>, ShapeOf<Q>>;

/** The shape of a draw that is asked for, to which the parameters broadcast. */
export type Drawn<Op extends string, Given, S extends Shape> = [true] extends [IsAny<Given> | IsAny<S>]
  ? Shape
  : [Given] extends [Shape]
    ? [BroadcastTo<Given, S>] extends [Mismatch<string>]
      ? Mismatch<`${Op}: parameters of shape ${Show<Given>} do not broadcast to ${Show<S>}`>
      : S
    : Given;

type FloatOf<P> = [P] extends [number]
  ? 'float32'
  : [P] extends [Tensor]
    ? P['dtype'] extends FloatDType
      ? P['dtype']
      : FloatDType extends P['dtype']
        ? FloatDType
        : 'float32'
    : FloatDType;

/** The floating dtype that parameters meet in, float32 where they are numbers or integers. */
export type DTypeOf<P extends Parameter, Q extends Parameter = number> = [FloatOf<P>, FloatOf<Q>] extends [
  'float32',
  'float32',
]
  ? 'float32'
  : [FloatOf<P>] extends ['float64']
    ? 'float64'
    : [FloatOf<Q>] extends ['float64']
      ? 'float64'
      : FloatDType;
