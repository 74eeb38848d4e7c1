/** Layers one after the other. */
import { foldIn, type Key, keyNode, split } from '../random/key.js';
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { nodeFor } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { type Shape, sameShape, showAval } from '../tensor/shape.js';
import type { Mismatch } from '../tensor/shape-types.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import {
  type Applied,
  type Context,
  type Layer,
  type ParamsOf,
  type SameShape,
  type ShapedLayer,
  type ShapeMap,
  shaped,
} from './layer.js';

/** A layer of one tensor, whatever its parameters are. */
type Link = {
  readonly init: (key: Key) => unknown;
  // Parameters are an argument, so no type but never stands for those of every layer.
  readonly apply: (params: never, x: never, context?: never) => Tensor;
  readonly shapes?: ShapeMap;
};

type MapOf<L> = L extends { readonly shapes?: infer F } ? Extract<F, ShapeMap> : ShapeMap;

/** The shape behind all of the layers. */
type Through<L extends readonly unknown[], S> = [S] extends [Shape]
  ? L extends readonly [infer First, ...infer Rest]
    ? Through<Rest, Applied<MapOf<First>, S>>
    : S
  : S;

/** For each layer `unknown` where what comes to it fits, else why not. */
type Links<L extends readonly unknown[], S> = L extends readonly [infer First, ...infer Rest]
  ? [S] extends [Shape]
    ? [Applied<MapOf<First>, S>] extends [infer R]
      ? readonly [[R] extends [Mismatch<string>] ? R : unknown, ...Links<Rest, R>]
      : never
    : readonly [unknown, ...Links<Rest, Shape>]
  : readonly unknown[];

/** What layers one after the other make of a shape. */
export interface Composed<L extends readonly unknown[]> extends ShapeMap {
  readonly domain: MapOf<L[0]>['domain'];
  readonly out: Through<L, this['in']>;
}

/** Parameters of {@link sequential}: those of each layer, in their order. */
export type SequentialParams<L extends readonly unknown[]> = { readonly [I in keyof L]: ParamsOf<L[I]> };

/**
 * Layers one after the other: what one gives is what the next one takes. What cannot follow each other does not compile. Of a key
 * in the context each layer gets one of its own.
 *
 * @param layers layers of one tensor, one at least
 * @returns a layer with a list of the parameters of all
 * @throws ArgumentError for none, or what is no layer; applied, what the layers throw, and ArgumentError when the parameters are
 *   not as many as the layers
 * @numpy flax.linen.Sequential
 * @pytorch torch.nn.Sequential
 * @example
 * ```js
 * import { silu, zeros } from 'tenfold';
 * import { activation, linear, sequential } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const model = sequential(linear(2, 64), activation(silu), linear(64, 3));
 * const params = model.init(key(0));
 * params[0].weight.shape; // => [64, 2]
 * model.apply(params, zeros([5, 2])).shape; // => [5, 3]
 * ```
 */
export const sequential = <const L extends readonly Link[]>(
  ...layers: L & Links<L, MapOf<L[0]>['domain']>
): ShapedLayer<SequentialParams<L>, Composed<L>> => {
  const all = layers as unknown as readonly Layer<unknown, readonly [Tensor, Context]>[];
  const other = all.findIndex(layer => typeof layer?.init !== 'function' || typeof layer.apply !== 'function');
  if (all.length === 0 || other >= 0) {
    throw new ArgumentError({
      operation: 'sequential',
      given: all.length === 0 ? 'no layer' : `${kindOf(all[other])} as layer ${other}`,
      rule: 'it takes layers, one at least',
      hint: 'A function of a tensor becomes a layer by activation(f).',
    });
  }
  return shaped({
    init: (key: Key): SequentialParams<L> => {
      const keys = split(key, all.length) as readonly Key[];
      return Object.freeze(all.map((layer, i) => layer.init(keys[i]!))) as SequentialParams<L>;
    },
    apply: (params: SequentialParams<L>, x: Tensor, context: Context = {}): Tensor => {
      checkOptions('sequential', ['key'], context);
      const { key } = context;
      if (key !== undefined) keyNode('sequential', key);
      const given: unknown = params;
      if (!Array.isArray(given) || given.length !== all.length) {
        throw new ArgumentError({
          operation: 'sequential',
          given: `${Array.isArray(given) ? `${given.length} parameters` : kindOf(given)} for ${all.length} layers`,
          rule: 'the parameters are a list, of one entry for each layer',
          hint: 'Make them with init(key).',
        });
      }
      return all.reduce(
        (y, layer, i) => layer.apply(given[i], y, key === undefined ? context : { key: foldIn(key, i) }),
        x,
      );
    },
  });
};

/**
 * A function of each element as a layer without parameters.
 *
 * @param f from a tensor to one of the same shape
 * @returns a layer with the parameters `{}`
 * @throws ArgumentError for what is no function; applied, what f throws, and ShapeError when it gives another shape
 * @numpy —
 * @pytorch torch.nn.SiLU
 * @example
 * ```js
 * import { relu, tensor } from 'tenfold';
 * import { activation } from 'tenfold/nn';
 * activation(relu).apply({}, tensor([-1, 2])).toArray(); // => [0, 2]
 * ```
 */
export const activation = (f: (x: Tensor) => Tensor): ShapedLayer<Readonly<Record<never, never>>, SameShape> => {
  if (typeof f !== 'function') {
    throw new ArgumentError({
      operation: 'activation',
      given: kindOf(f),
      rule: 'it takes a function of a tensor',
      hint: 'activation(relu), or activation(x => clamp(x, 0, 6)).',
    });
  }
  return shaped({
    init: () => Object.freeze({}),
    apply: (_: Readonly<Record<never, never>>, x: Tensor): Tensor => {
      const given = nodeFor('activation', x);
      const y = f(x);
      if (isTensor(y) && sameShape(given.shape, y.shape)) return y;
      throw new ShapeError({
        operation: 'activation',
        given: `${isTensor(y) ? showAval(y) : kindOf(y)} from ${showAval(given)}`,
        rule: 'the function gives a tensor of the same shape',
        hint: 'What changes the shape is a layer of its own: { init, apply }.',
      });
    },
  });
};
