/** What convolutions with parameters and transposed ones have in common: checked sizes, first parameters, the bias. */
import { uniform } from '../random/draw.js';
import { type Key, split } from '../random/key.js';
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { unaryOperand } from '../tensor/ops/common/operands.js';
import { checkFlag } from '../tensor/ops/common/options.js';
import { zeros } from '../tensor/ops/creation/creation.js';
import { add } from '../tensor/ops/elementwise/arithmetic.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import { checkGroups, checkSpatial, type PerAxis, perAxis } from '../tensor/ops/spatial/options.js';
import { checkArgument, checkInteger, range, type Shape, showAval, sizeOf } from '../tensor/shape.js';
import { type Tensor, wrap } from '../tensor/tensor.js';
import { parameter } from './normalisation.js';

/** Parameters of convolutions, transposed ones too, with PyTorch's axes: the kernel, and the bias [outputs] where there is one. */
export type ConvParams<Bias extends boolean = true> = Bias extends true
  ? { readonly weight: Tensor; readonly bias: Tensor }
  : { readonly weight: Tensor };

/** Options of both kinds. */
export interface CommonConvOptions {
  readonly stride?: PerAxis;
  readonly dilation?: PerAxis;
  readonly groups?: number;
  readonly bias?: boolean;
  readonly init?: 'default' | 'zeros';
}

/** Whether options leave the bias in. */
export type BiasOf<Options> = Options extends { readonly bias: false } ? false : true;

/** An operation. */
export type Convolve = (x: Tensor, w: Tensor, options?: object) => Tensor;

/** Parameters with a bias or without. */
export type AnyParams = { readonly weight: Tensor; readonly bias?: Tensor };

/** What a layer is made of, whose options are checked but for the padding. */
export const convParts = (
  operation: string,
  rank: number,
  inputs: number,
  outputs: number,
  kernel: PerAxis,
  options: CommonConvOptions,
) => {
  const { stride = 1, dilation = 1, groups = 1, bias = true, init = 'default' } = options;
  checkInteger(operation, 'the number of inputs', inputs, 1, Number.MAX_SAFE_INTEGER);
  checkInteger(operation, 'the number of outputs', outputs, 1, Number.MAX_SAFE_INTEGER);
  const lengths = Object.freeze([...perAxis(operation, 'kernel', kernel, rank, 1)]);
  const strides = perAxis(operation, 'stride', stride, rank, 1);
  const dilations = perAxis(operation, 'dilation', dilation, rank, 1);
  checkGroups(operation, groups);
  checkFlag(operation, 'bias', bias);
  checkArgument(
    init === 'default' || init === 'zeros',
    operation,
    `init: ${String(init)}`,
    "parameters start by 'default' or as 'zeros'",
    'Leave it out for the default.',
  );
  if (inputs % groups !== 0 || outputs % groups !== 0) {
    throw new ArgumentError({
      operation,
      given: `${groups} groups of ${inputs} inputs and ${outputs} outputs`,
      rule: 'the groups have equally many inputs, and equally many outputs',
      hint: 'Give a number of groups that divides both.',
    });
  }
  const channelAxis = (x: Tensor): number => x.shape.length - rank - 1;
  return {
    strides,
    dilations,
    lengths,
    first: (key: Key, weightShape: Shape): AnyParams => {
      if (init === 'zeros') {
        return Object.freeze({ weight: zeros(weightShape), ...(bias ? { bias: zeros([outputs]) } : {}) }) as AnyParams;
      }
      // PyTorch counts the second axis of either kernel, transposed or not, as what an output sees.
      const bound = 1 / Math.sqrt(sizeOf(weightShape.slice(1)));
      const [forWeight, forBias] = split(key, 2) as readonly [Key, Key];
      return Object.freeze({
        weight: uniform(forWeight, weightShape, { low: -bound, high: bound }),
        ...(bias ? { bias: uniform(forBias, [outputs], { low: -bound, high: bound }) } : {}),
      }) as AnyParams;
    },
    inputOf: (x: unknown): Tensor => {
      const floats = wrap(unaryOperand(operation, x, { toFloat: true })) as Tensor;
      checkSpatial(operation, floats, rank);
      if (floats.shape[channelAxis(floats)] === inputs) return floats;
      throw new ShapeError({
        operation,
        given: showAval(x as Tensor),
        rule: `the layer takes ${inputs} channels, the axis before the last ${rank === 1 ? 'one' : rank}`,
        hint: 'Make the layer with the number of channels, or move them there with moveAxis.',
      });
    },
    finish: (params: AnyParams, y: Tensor): Tensor =>
      bias
        ? (add(
            y,
            reshape(parameter(operation, params as Required<AnyParams>, 'bias', [outputs]), [
              outputs,
              ...range(rank).map(() => 1),
            ]),
          ) as Tensor)
        : y,
  };
};
