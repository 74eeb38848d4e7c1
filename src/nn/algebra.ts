/** The algebra of layers: other parameters for the same layer, parameters that are held, and layers as a category. */
import type { Category2 } from 'fp-ts/lib/Category.js';
import type { Key } from '../random/key.js';
import { ShapeError, TreeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { nodeFor } from '../tensor/ops/common/operands.js';
import { checkArgument, sameShape, showAval } from '../tensor/shape.js';
import type { Ok } from '../tensor/shape-types.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { flattenFor, isPlainRecord, type Mapped, type Path, showPath, tensorsOf } from '../tree/tree.js';
import {
  type Applied,
  type Context,
  type Layer,
  type SameShape,
  type ShapedLayer,
  type ShapeMap,
  shaped,
} from './layer.js';
import { type Composed, type SequentialParams, sequential } from './sequential.js';
import { checkLayer } from './skips.js';

/** A tree `P`, or one of its form with any tensors. */
type Like<P> = P | Mapped<P, Tensor>;

/** The signatures of {@link mapParams}. */
export interface MapParams {
  <P, F extends ShapeMap>(layer: ShapedLayer<P, F>, read: (params: P) => Like<NoInfer<P>>): ShapedLayer<P, F>;
  <P, Q, F extends ShapeMap>(
    layer: ShapedLayer<P, F>,
    read: (params: Q) => Like<NoInfer<P>>,
    write: (params: P) => Q,
  ): ShapedLayer<Q, F>;
  <P, X extends readonly unknown[], Y>(layer: Layer<P, X, Y>, read: (params: P) => Like<NoInfer<P>>): Layer<P, X, Y>;
  <P, Q, X extends readonly unknown[], Y>(
    layer: Layer<P, X, Y>,
    read: (params: Q) => Like<NoInfer<P>>,
    write: (params: P) => Q,
  ): Layer<Q, X, Y>;
}

/**
 * The same layer with its parameters as something else: normalised, cast, in a tree of another form.
 *
 * @param read makes parameters of the layer from those of the new one, whenever it is applied
 * @param write makes parameters of the new layer from those of the layer, once they are drawn; as they are, if left out
 * @returns a layer
 * @throws ArgumentError for what is no layer and no function; applied, what the layer and the functions throw
 * @numpy flax.linen.map_variables
 * @pytorch torch.nn.utils.parametrize.register_parametrization
 * @example
 * ```js
 * import { tensor, transpose } from 'tenfold';
 * import { linear, mapParams } from 'tenfold/nn';
 * const dense = mapParams(
 *   linear(2, 3, { bias: false }),
 *   ({ kernel }) => ({ weight: transpose(kernel) }),
 *   ({ weight }) => ({ kernel: transpose(weight) }),
 * );
 * dense.apply({ kernel: tensor([[1, 2, 3], [4, 5, 6]]) }, tensor([1, 1])).toArray(); // => [5, 7, 9]
 * ```
 */
export const mapParams: MapParams = ((
  layer: Layer<unknown, readonly unknown[], unknown>,
  read: (params: unknown) => unknown,
  write: (params: unknown) => unknown = params => params,
) => {
  checkLayer('mapParams', layer);
  checkArgument(
    typeof read === 'function' && typeof write === 'function',
    'mapParams',
    `${kindOf(read)} and ${kindOf(write)}`,
    'it takes functions of parameters',
    'Write mapParams(layer, params => map(params, f)).',
  );
  return Object.freeze({
    init: (key: Key): unknown => write(layer.init(key)),
    apply: (params: unknown, ...inputs: readonly unknown[]): unknown => layer.apply(read(params), ...inputs),
  });
}) as never;

/** Some of the parameters `P`: what is null or missing is not among them. */
export type SomeParams<P> =
  | null
  | (P extends Tensor
      ? Tensor
      : P extends readonly unknown[]
        ? { readonly [K in keyof P]: SomeParams<P[K]> }
        : P extends object
          ? { readonly [K in keyof P]?: SomeParams<P[K]> }
          : never);

/** The parameters `P` with null in the places of those of `H`. */
export type FreeParams<P, H> = [H] extends [null | undefined]
  ? P
  : P extends Tensor
    ? [H] extends [Tensor]
      ? null
      : P | null
    : P extends null
      ? null
      : { readonly [K in keyof P]: FreeParams<P[K], K extends keyof H ? H[K] : null> };

/** The signatures of {@link withParams}. */
export interface WithParams {
  <P, F extends ShapeMap, H extends SomeParams<P>>(
    layer: ShapedLayer<P, F>,
    held: H & SomeParams<P>,
  ): ShapedLayer<FreeParams<P, H>, F>;
  <P, X extends readonly unknown[], Y, H extends SomeParams<P>>(
    layer: Layer<P, X, Y>,
    held: H & SomeParams<P>,
  ): Layer<FreeParams<P, H>, X, Y>;
}

const misfit = (path: Path, given: string, rule: string): TreeError =>
  new TreeError({
    operation: 'withParams',
    given: `${given} at ${showPath(path)}`,
    rule,
    hint: 'Take what is held from parameters of this layer by select(params, pattern), the others from init(key).',
  });

/** What `f` makes of the places that are held, and what else is in the tree as it is. */
const atHeld = (
  tree: unknown,
  held: unknown,
  f: (here: unknown, held: Tensor, path: Path) => unknown,
  path: Path = [],
): unknown => {
  if (held === null || held === undefined) return tree;
  if (isTensor(held)) return f(tree, held, path);
  if (Array.isArray(held)) {
    if (!Array.isArray(tree) || tree.length !== held.length) {
      const given = Array.isArray(tree) ? `a list of ${tree.length}` : kindOf(tree);
      throw misfit(path, given, `the parameters have a list of ${held.length} there, as what is held`);
    }
    return Object.freeze(tree.map((item, i) => atHeld(item, held[i], f, [...path, i])));
  }
  const parts = held as Readonly<Record<string, unknown>>;
  const strange = isPlainRecord(tree) ? Object.keys(parts).find(name => !Object.hasOwn(tree, name)) : undefined;
  if (!isPlainRecord(tree) || strange !== undefined) {
    throw misfit(
      strange === undefined ? path : [...path, strange],
      strange === undefined ? kindOf(tree) : 'no parameter',
      'the parameters have all that is held',
    );
  }
  const entries = Object.entries(tree).map(([name, here]) => {
    const part = Object.hasOwn(parts, name) ? parts[name] : null;
    return [name, atHeld(here, part, f, [...path, name])] as const;
  });
  return Object.freeze(Object.fromEntries(entries));
};

/**
 * The layer with some of its parameters held: they are a part of the layer, and no longer among its parameters, which
 * have null there. So whatever is trained, averaged or saved are the others.
 *
 * @param held a tree of the form of the parameters with those that stay, and null for the others; whole parts may be
 *   null or missing. `select(params, '**.body.*')` is one
 * @returns a layer with the other parameters
 * @throws ArgumentError for what is no layer, and when nothing is held; TreeError for a leaf that is no tensor; its
 *   functions, TreeError when what is held is not of the form of the parameters, ShapeError when it is of other shapes
 * @numpy —
 * @pytorch torch.Tensor.requires_grad_
 * @example
 * ```js
 * import { grad, sum, tensor } from 'tenfold';
 * import { linear, sequential, withParams } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * import { select, showPath, paths } from 'tenfold/tree';
 * const model = sequential(linear(2, 3), linear(3, 1));
 * const params = model.init(key(0));
 * const tuned = withParams(model, select(params, '0.*'));
 * const free = tuned.init(key(1));
 * paths(free).map(showPath); // => ['[1].bias', '[1].weight']
 * paths(grad(p => sum(tuned.apply(p, tensor([1, 2]))))(free)).length; // => 2
 * ```
 */
export const withParams: WithParams = ((layer: Layer<unknown, readonly unknown[], unknown>, held: unknown) => {
  checkLayer('withParams', layer);
  const all = tensorsOf('withParams', flattenFor('withParams', held));
  checkArgument(
    all.length > 0,
    'withParams',
    'no parameters to hold',
    'there is one at least',
    'Does the pattern of select(params, pattern) fit any? paths(params) are all.',
  );
  const free = (here: unknown, fixed: Tensor, path: Path): null => {
    if (!isTensor(here)) throw misfit(path, kindOf(here), 'there is a parameter where one is held');
    if (sameShape(here.shape, fixed.shape)) return null;
    throw new ShapeError({
      operation: 'withParams',
      given: `${showAval(fixed)} at ${showPath(path)}`,
      rule: `the parameter there is ${showAval(here)}`,
      hint: 'Are they parameters of this layer?',
    });
  };
  const filled = (here: unknown, fixed: Tensor, path: Path): Tensor => {
    if (here === null) return fixed;
    throw misfit(path, kindOf(here), 'there is null where a parameter is held');
  };
  return Object.freeze({
    init: (key: Key): unknown => atHeld(layer.init(key), held, free),
    apply: (params: unknown, ...inputs: readonly unknown[]): unknown =>
      layer.apply(atHeld(params, held, filled), ...inputs),
  });
}) as never;

/** A layer of one tensor, whatever its parameters are. */
interface Link {
  readonly init: (key: Key) => unknown;
  // Parameters are an argument, so no type but never stands for those of every layer.
  readonly apply: (params: never, x: never, context?: never) => unknown;
  readonly shapes?: ShapeMap;
}

/** Layers one after the other, and which these are. */
export interface Row<L extends readonly unknown[]> extends ShapedLayer<SequentialParams<L>, Composed<L>> {
  readonly layers: L;
}

/** What gives a tensor as it is: no layers one after the other. */
export interface Identity extends ShapedLayer<readonly [], SameShape> {
  readonly layers: readonly [];
}

type LayersOf<A> = A extends { readonly layers: infer L extends readonly unknown[] } ? L : readonly [A];

/** The layers of a row; of one it is this layer itself. */
type RowOf<L extends readonly unknown[]> = L extends readonly []
  ? Identity
  : L extends readonly [infer Only]
    ? Only
    : Row<L>;

/** The second after the first. */
export type Compose<G, F> = RowOf<readonly [...LayersOf<F>, ...LayersOf<G>]>;

type Pair<F, G> = Composed<readonly [...LayersOf<F>, ...LayersOf<G>]>;

/**
 * The layer that gives x as it is, with the parameters `[]`.
 *
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { identity } from 'tenfold/nn';
 * identity.apply([], tensor([1, 2])).toArray(); // => [1, 2]
 * ```
 */
export const identity: Identity = Object.freeze({
  ...shaped<readonly [], SameShape>({
    init: () => Object.freeze([] as const),
    apply: (_: readonly [], x: Tensor): Tensor => {
      nodeFor('identity', x);
      return x;
    },
  }),
  layers: Object.freeze([] as const),
});

const layersOf = (layer: Link): readonly Link[] => {
  const { layers } = layer as { readonly layers?: unknown };
  return Array.isArray(layers) ? layers : [layer];
};

/**
 * One layer after another, as functions are composed: `compose(g, f)` is f, then g. It is the {@link sequential} of all
 * layers that were composed, however they were put together: no list of parameters is inside of another. A layer
 * composed with {@link identity} is this layer.
 *
 * @param g what is applied second
 * @param f what is applied first
 * @throws ArgumentError for what is no layer; applied, what `sequential` throws
 * @numpy —
 * @pytorch —
 * @example
 * ```js
 * import { silu, zeros } from 'tenfold';
 * import { activation, compose, linear } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const model = compose(linear(8, 1), compose(activation(silu), linear(2, 8)));
 * const params = model.init(key(0));
 * params.length; // => 3
 * model.apply(params, zeros([5, 2])).shape; // => [5, 1]
 * ```
 */
export const compose = <G extends Link, F extends Link>(
  g: G & Ok<Applied<Pair<F, G>, Pair<F, G>['domain']>>,
  f: F,
): Compose<G, F> => {
  for (const layer of [g, f]) checkLayer('compose', layer);
  const [before, after] = [layersOf(f), layersOf(g)];
  if (before.length === 0) return g as never;
  if (after.length === 0) return f as never;
  const layers = Object.freeze([...before, ...after]);
  const row = (sequential as unknown as (...all: readonly Link[]) => object)(...layers);
  return Object.freeze({ ...row, layers }) as never;
};

/** A layer from `X` to `Y` with parameters of which nothing is said. */
export interface Morphism<X, Y> {
  readonly init: (key: Key) => unknown;
  readonly apply: (params: never, x: X, context?: Context) => Y;
}

/** The name of layers among the kinds of fp-ts. */
export type LayerKind = 'tenfold.Layer';

// The file in which fp-ts declares its kinds, which is not in lib.
declare module 'fp-ts/HKT.js' {
  interface URItoKind2<E, A> {
    readonly 'tenfold.Layer': Morphism<E, A>;
  }
}

/**
 * Layers of one tensor as a Category of fp-ts. Its laws hold for values, parameters and keys alike; the type of the
 * parameters, for which a kind has no place, is lost: {@link compose} keeps it.
 *
 * @example
 * ```js
 * import { relu, tensor } from 'tenfold';
 * import { activation, category } from 'tenfold/nn';
 * const rectify = activation(relu);
 * category.compose(rectify, category.id()) === rectify; // => true
 * category.compose(rectify, rectify).apply([{}, {}], tensor([-1, 2])).toArray(); // => [0, 2]
 * ```
 */
export const category: Category2<LayerKind> = Object.freeze({
  URI: 'tenfold.Layer',
  id: () => identity as never,
  compose: compose as never,
});
