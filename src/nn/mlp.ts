/** Multilayer perceptrons. */
import { foldIn, type Key, split } from '../random/key.js';
import { ArgumentError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { relu } from '../tensor/ops/elementwise/rectifiers.js';
import { checkArgument, checkInteger, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkRate, dropped, keyIn } from './dropout.js';
import { type Context, type LastAxis, type Layer, type ShapedLayer, shaped } from './layer.js';
import { type LayerNormParams, layerNorm } from './layer-norm.js';
import { type LinearParams, linear } from './linear.js';
import { inputOf } from './normalisation.js';
import { type RmsNormParams, rmsNorm } from './rms-norm.js';
import { activation as activationLayer } from './sequential.js';

/** Options of {@link mlp}. */
export interface MlpOptions {
  /** From a tensor to one of the same shape. Default relu. */
  readonly activation?: (x: Tensor) => Tensor;
  /** What hidden layers are normalised by, before the activation; not at all if left out. */
  readonly norm?: 'layer' | 'rms';
  /** The probability with which in training an element of a hidden layer is dropped. Default 0. */
  readonly dropout?: number;
}

type Linears<S extends Shape> = S extends readonly [infer I extends number, infer O extends number, ...infer Rest]
  ? readonly [LinearParams<I, O>, ...Linears<readonly [O, ...Extract<Rest, Shape>]>]
  : S extends readonly [number]
    ? readonly []
    : readonly LinearParams[];

type First<S extends Shape> = S extends readonly [infer I extends number, ...Shape] ? I : number;

type Last<S extends Shape> = S extends readonly [...Shape, infer O extends number] ? O : number;

/** Parameters of {@link mlp}. */
export interface MlpParams<S extends Shape = Shape> {
  /** One for each two neighbouring sizes. */
  readonly layers: Linears<S>;
  /** One for each hidden layer, or none. */
  readonly norms: readonly (LayerNormParams | RmsNormParams)[];
}

const normFor = (norm: MlpOptions['norm'], size: number): Layer<LayerNormParams | RmsNormParams> | null => {
  if (norm === undefined) return null;
  return (norm === 'layer' ? layerNorm(size) : rmsNorm(size)) as unknown as Layer<LayerNormParams | RmsNormParams>;
};

/**
 * Linear layers one after the other, with an activation behind each but the last: linear, norm, activation, dropout.
 *
 * @param sizes lengths of the last axis: of x, of the hidden layers, of y
 * @param options `activation` (relu), `norm` ('layer' or 'rms'), `dropout` (0), for which `apply` takes a key
 * @returns a layer; x is […, first of the sizes], y […, last of them]
 * @throws ArgumentError for less than two sizes and a wrong or unknown option, IndexError when a size is no positive integer;
 *   applied, ShapeError when the last axis of x is another or the parameters do not fit
 * @numpy equinox.nn.MLP
 * @pytorch torchvision.ops.MLP
 * @example
 * ```js
 * import { silu, zeros } from 'tenfold';
 * import { mlp } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const model = mlp([2, 64, 64, 3], { activation: silu, norm: 'layer', dropout: 0.1 });
 * const params = model.init(key(0));
 * params.layers[1].weight.shape; // => [64, 64]
 * model.apply(params, zeros([5, 2])).shape; // => [5, 3]
 * model.apply(params, zeros([5, 2]), { key: key(1) }).shape; // => [5, 3]
 * ```
 */
export const mlp = <const S extends Shape>(
  sizes: S,
  options: MlpOptions = {},
): ShapedLayer<MlpParams<S>, LastAxis<'mlp', First<S>, Last<S>>> => {
  checkOptions('mlp', ['activation', 'norm', 'dropout'], options);
  const { activation = relu as (x: Tensor) => Tensor, norm, dropout = 0 } = options;
  checkArgument(
    Array.isArray(sizes) && sizes.length >= 2,
    'mlp',
    `${kindOf(sizes)} as sizes`,
    'it takes a list of the sizes of input and output, and between them of hidden layers',
    'Write mlp([2, 64, 3]).',
  );
  const all = Object.freeze([...sizes]);
  for (const size of all) checkInteger('mlp', 'a size', size, 1, Number.MAX_SAFE_INTEGER);
  checkArgument(
    typeof activation === 'function',
    'mlp',
    `${kindOf(activation)} as activation`,
    'it is a function of a tensor',
    'Write { activation: silu }.',
  );
  checkArgument(
    norm === undefined || norm === 'layer' || norm === 'rms',
    'mlp',
    `${kindOf(norm)} as norm`,
    "hidden layers are normalised by 'layer' or 'rms'",
    'Leave it out for none.',
  );
  checkRate('mlp', dropout);
  const linears = all.slice(1).map((size, i) => linear(all[i]!, size) as unknown as Layer<LinearParams>);
  const hidden = all.slice(1, -1);
  const norms = hidden.flatMap(size => normFor(norm, size) ?? []);
  const activate = activationLayer(activation);
  const checkCounts = (params: MlpParams): void => {
    const given: unknown[] = [params?.layers, params?.norms];
    const wanted = [linears.length, norms.length];
    if (given.every((list, i) => Array.isArray(list) && list.length === wanted[i])) return;
    throw new ArgumentError({
      operation: 'mlp',
      given: `${given.map(list => (Array.isArray(list) ? list.length : kindOf(list))).join(' and ')} as layers and norms`,
      rule: `its parameters are lists of ${wanted.join(' and ')}`,
      hint: 'Make them with init(key).',
    });
  };
  return shaped({
    init: (key: Key): MlpParams<S> => {
      const keys = split(key, linears.length);
      return Object.freeze({
        layers: Object.freeze(linears.map((layer, i) => layer.init(keys[i]!))),
        norms: Object.freeze(norms.map(layer => layer.init(key))),
      }) as unknown as MlpParams<S>;
    },
    apply: (params: MlpParams<S>, x: Tensor, context: Context = {}): Tensor => {
      checkOptions('mlp', ['key'], context);
      const key = keyIn('mlp', context);
      checkCounts(params as MlpParams);
      const { layers, norms: affine } = params as MlpParams;
      const last = linears.length - 1;
      return linears.reduce(
        (h, layer, i) => {
          const y = layer.apply(layers[i]!, h);
          if (i === last) return y;
          const z = activate.apply({}, norms[i] === undefined ? y : norms[i].apply(affine[i]!, y)) as Tensor;
          return dropped(z, dropout, key === undefined ? undefined : foldIn(key, i));
        },
        inputOf('mlp', x, [all[0]!]),
      );
    },
  });
};
