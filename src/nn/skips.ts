/** Layers beside others: residual connections, skips, branches. */
import { foldIn, type Key, keyNode, split } from '../random/key.js';
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { nodeFor } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { add } from '../tensor/ops/elementwise/arithmetic.js';
import { concat } from '../tensor/ops/movement/joining.js';
import { type Aval, checkArgument, normalizeAxis, sameShape, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { isPlainRecord } from '../tree/tree.js';
import type { Layer, ParamsOf, ShapedLayer, ShapeMap } from './layer.js';
import type { Beside, Kept } from './shape-maps.js';

/** Refuses what is no layer. */
export const checkLayer = (operation: string, layer: unknown): void => {
  const { init, apply } = (layer ?? {}) as Partial<Layer<unknown>>;
  checkArgument(
    typeof init === 'function' && typeof apply === 'function',
    operation,
    kindOf(layer),
    'it takes layers: { init, apply }',
    'A function of a tensor becomes a layer by activation(f).',
  );
};

/** @internal What a layer has made of a tensor, of the same shape. */
export const unchanged = (operation: string, y: unknown, x: Aval): Tensor => {
  if (isTensor(y) && sameShape(y.shape, x.shape)) return y;
  throw new ShapeError({
    operation,
    given: `${isTensor(y) ? showAval(y) : kindOf(y)} from ${showAval(x)}`,
    rule: 'the layer gives a tensor of the same shape',
    hint: 'Give it as many outputs as inputs.',
  });
};

/** @internal What a layer takes beside its input, for one of several: a key in it is another one for each. */
export const forOne = (operation: string, given: unknown, which: number | Tensor): unknown => {
  if (!isPlainRecord(given) || given.key === undefined) return given;
  keyNode(operation, given.key);
  return { ...given, key: foldIn(given.key as Key, which as number) };
};

/** The signatures of {@link residual}. */
export interface Residual {
  <P, F extends ShapeMap>(layer: ShapedLayer<P, F>): ShapedLayer<P, Kept<'residual', F>>;
  <P, R extends readonly unknown[]>(layer: Layer<P, readonly [x: Tensor, ...R]>): Layer<P, readonly [x: Tensor, ...R]>;
}

/**
 * `x + layer(x)` (He, Zhang, Ren, Sun 2015, arXiv:1512.03385).
 *
 * @param layer from a tensor to one of the same shape; what else it takes is passed on
 * @returns a layer with the same parameters
 * @throws ArgumentError for what is no layer; applied, what the layer throws, and ShapeError when it gives another shape
 * @numpy —
 * @pytorch —
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { activation, residual } from 'tenfold/nn';
 * residual(activation(x => x)).apply({}, tensor([1, 2])).toArray(); // => [2, 4]
 * ```
 */
export const residual: Residual = ((layer: Layer<unknown, readonly [Tensor, ...unknown[]]>) => {
  checkLayer('residual', layer);
  return Object.freeze({
    init: layer.init,
    apply: (params: unknown, x: Tensor, ...rest: readonly unknown[]): Tensor => {
      const given = nodeFor('residual', x);
      return add(x, unchanged('residual', layer.apply(params, x, ...rest), given)) as Tensor;
    },
  });
}) as never;

/** The signatures of {@link concatSkip}. */
export interface ConcatSkip {
  <P, F extends ShapeMap, const Axis extends number = 1>(
    layer: ShapedLayer<P, F>,
    options?: { readonly axis?: Axis },
  ): ShapedLayer<P, Beside<F, Axis>>;
  <P, R extends readonly unknown[]>(
    layer: Layer<P, readonly [x: Tensor, ...R]>,
    options?: { readonly axis?: number },
  ): Layer<P, readonly [x: Tensor, ...R]>;
}

/**
 * x and `layer(x)`, one after the other (Huang, Liu, van der Maaten, Weinberger 2016, arXiv:1608.06993).
 *
 * @param layer from a tensor to one that differs along the axis at most; what else it takes is passed on
 * @param options `axis`: 1, the channels, if left out
 * @returns a layer with the same parameters
 * @throws ArgumentError for what is no layer and a wrong or unknown option; applied, what the layer throws, AxisError when x has no
 *   such axis, ShapeError when the layer gives what does not fit
 * @numpy —
 * @pytorch —
 * @example
 * ```js
 * import { neg, tensor } from 'tenfold';
 * import { activation, concatSkip } from 'tenfold/nn';
 * concatSkip(activation(neg)).apply({}, tensor([[1, 2]])).toArray(); // => [[1, 2, -1, -2]]
 * ```
 */
export const concatSkip: ConcatSkip = ((
  layer: Layer<unknown, readonly [Tensor, ...unknown[]]>,
  options: { readonly axis?: number } = {},
) => {
  checkLayer('concatSkip', layer);
  checkOptions('concatSkip', ['axis'], options);
  const { axis = 1 } = options;
  checkArgument(
    Number.isSafeInteger(axis),
    'concatSkip',
    `${kindOf(axis)} as axis`,
    'the axis is an integer',
    'Leave it out for the channels.',
  );
  return Object.freeze({
    init: layer.init,
    apply: (params: unknown, x: Tensor, ...rest: readonly unknown[]): Tensor => {
      const at = normalizeAxis('concatSkip', axis, nodeFor('concatSkip', x).shape);
      const y: unknown = layer.apply(params, x, ...rest);
      if (isTensor(y) && y.shape.length === x.shape.length && sameShape(y.shape.with(at, 0), x.shape.with(at, 0))) {
        return concat([x, y], { axis: at }) as Tensor;
      }
      throw new ShapeError({
        operation: 'concatSkip',
        given: `${isTensor(y) ? showAval(y) : kindOf(y)} from ${showAval(x)}`,
        rule: `the layer gives a tensor that differs along axis ${at} at most`,
        hint: 'Let it keep the other lengths, by padding for instance.',
      });
    },
  });
}) as never;

/**
 * Several layers of one tensor, and one result of theirs.
 *
 * @param layers one at least
 * @param join makes one tensor of the results: `ys => concat(ys, { axis: 1 })`
 * @returns a layer with a list of the parameters of all; what else is given is passed on to all of them, but for a random key in a
 *   record of options (`{ key }`), of which each gets one of its own
 * @throws ArgumentError for none, what is no layer, and when join is no function; applied, what these throw, and ArgumentError when
 *   the parameters are not as many as the layers
 * @numpy —
 * @pytorch —
 * @example
 * ```js
 * import { concat, relu, neg, tensor } from 'tenfold';
 * import { activation, parallel } from 'tenfold/nn';
 * const layer = parallel([activation(relu), activation(x => relu(neg(x)))], ys => concat(ys, { axis: 1 }));
 * layer.apply([{}, {}], tensor([[-2, 3]])).toArray(); // => [[0, 3, 2, 0]]
 * ```
 */
export const parallel = <
  const L extends readonly {
    readonly init: (key: Key) => unknown;
    // Parameters are an argument, so no type but never stands for those of every layer.
    readonly apply: (params: never, x: never, ...rest: never) => unknown;
  }[],
>(
  layers: L,
  join: (ys: readonly Tensor[]) => Tensor,
): Layer<{ readonly [I in keyof L]: ParamsOf<L[I]> }, readonly [x: Tensor, ...rest: unknown[]]> => {
  if (!Array.isArray(layers) || layers.length === 0 || typeof join !== 'function') {
    throw new ArgumentError({
      operation: 'parallel',
      given: `${kindOf(layers)} and ${kindOf(join)}`,
      rule: 'it takes an array of layers and a function of their results',
      hint: 'parallel([a, b], ys => concat(ys, { axis: 1 })).',
    });
  }
  for (const each of layers) checkLayer('parallel', each);
  const all = layers as unknown as readonly Layer<unknown, readonly unknown[]>[];
  type Params = { readonly [I in keyof L]: ParamsOf<L[I]> };
  return Object.freeze({
    init: (key: Key): Params => {
      const keys = split(key, all.length) as readonly Key[];
      return Object.freeze(all.map((layer, i) => layer.init(keys[i]!))) as Params;
    },
    apply: (params: Params, x: Tensor, ...rest: readonly unknown[]): Tensor => {
      const given: unknown = params;
      checkArgument(
        Array.isArray(given) && given.length === all.length,
        'parallel',
        `${kindOf(given)} as parameters of ${all.length} layers`,
        'the parameters are a list, of one entry for each layer',
        'Make them with init(key).',
      );
      nodeFor('parallel', x);
      return join(
        all.map((layer, i) =>
          layer.apply((given as readonly unknown[])[i], x, ...rest.map(each => forOne('parallel', each, i))),
        ),
      );
    },
  });
};
