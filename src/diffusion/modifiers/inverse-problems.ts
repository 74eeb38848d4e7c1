/** Modifiers that hold samples to what is known of them: some of their elements, or a measurement. */
import { isFloat } from '../../tensor/dtype.js';
import { DTypeError, ShapeError } from '../../tensor/errors.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { add, mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { greater, where } from '../../tensor/ops/elementwise/comparison.js';
import { sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { sum } from '../../tensor/ops/reduction/reduction.js';
import { showAval } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { valueAndGrad } from '../../tensor/transform/grad.js';
import { checkAlike, checkFunctions, checkTensors, eachFlat } from '../checks.js';
import type { Denoised, Denoiser, DenoiserModifier } from '../denoiser.js';
import { combine } from '../level.js';
import { agreeing } from '../prediction.js';
import { withScore } from './guidance.js';
import {
  checkCoefficient,
  checkCount,
  checkFits,
  checkFromInputs,
  type FromInputs,
  fromInputs,
  withParts,
} from './parts.js';

/**
 * Inpainting: where elements are known, the prediction of x₀ is what is known, and the noise is what is then left of x.
 * So with every sampler those elements follow the straight way from their noise to their value and end there, while the
 * network sees them at every level. Starting with an image (see `imageToImageStart`) instead of noise, the rest begins
 * from the image.
 *
 * What the network has once decided about the rest it cannot take back: `repeatSteps(n, sampler)` goes back to the
 * level before and takes each step n times, after which the rest fits what is known. The two together are RePaint.
 *
 * Sources: Song et al. 2020, arXiv:2011.13456, appendix I.2; Lugmayr et al. 2022, arXiv:2201.09865, algorithm 1.
 *
 * @param known what is known, in the dtype of x, broadcasting to x [N, …]; or a function of the inputs
 * @param mask where: true, or 1, is known; broadcasting to x. Floats between 0 and 1 mix. Or a function of the inputs
 * @returns a modifier of denoisers
 * @throws ArgumentError for what is neither a tensor nor a function; the denoiser: ShapeError when one does not
 *   broadcast to x, DTypeError for other dtypes
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { ddim, denoiser, flowProcess, inpainting, levelsAt, sample } from 'tenfold/diffusion';
 * const known = inpainting(tensor([[5, 0]]), tensor([[true, false]]));
 * const filled = known(denoiser(x => mul(x, 0), { prediction: 'x0' }));
 * sample(ddim(), filled, levelsAt(flowProcess(), [1, 0.5]), tensor([[3, -4]])).toArray(); // => [[5, 0]]
 * ```
 */
export const inpainting = <E = unknown>(known: FromInputs<E>, mask: FromInputs<E>): DenoiserModifier<E> => {
  checkFromInputs('inpainting', 'known', known);
  checkFromInputs('inpainting', 'mask', mask);
  return (denoiser: Denoiser<E>) => (x, level, context) => {
    const values = fromInputs('inpainting', 'known', known, context.inputs);
    const at = fromInputs('inpainting', 'mask', mask, context.inputs);
    checkKnown(values, at, x);
    const denoised = denoiser(x, level, context);
    const { x0, eps } = denoised;
    if (at.dtype !== 'bool') {
      const mixed = add(mul(at, values), mul(sub(1, at), x0)) as Tensor;
      return withParts(denoised, agreeing('x0', mixed, x, level, denoised));
    }
    const held = agreeing('x0', where(at, values, x0) as Tensor, x, level, denoised);
    // Elsewhere the noise is the network's own, to the last bit.
    return withParts(denoised, { x0: held.x0, eps: where(at, held.eps, eps) as Tensor });
  };
};

/** Refuses what is known, and a mask, that do not fit the samples. */
const checkKnown = (known: Tensor, mask: Tensor, x: Tensor): void => {
  checkFits('inpainting', 'known', known, x);
  checkFits('inpainting', 'mask', mask, x);
  if (known.dtype === x.dtype && (mask.dtype === 'bool' || mask.dtype === x.dtype)) return;
  throw new DTypeError({
    operation: 'inpainting',
    given: `known ${showAval(known)} and mask ${showAval(mask)} for samples ${showAval(x)}`,
    rule: 'what is known has the dtype of the samples, and the mask as well, or bool',
    hint: "Cast them: cast(mask, 'bool').",
  });
};

/** What is measured of x₀, [N, …] → [N, …], differentiable. */
export type Measurement<E = unknown> = (x0: Tensor, inputs: E) => Tensor;

/** Options of {@link reconstructionGuidance}. */
export interface ReconstructionOptions {
  /** How much it counts; a number, a float scalar, or floats [N]. Default 1. */
  readonly scale?: number | Tensor;
}

/** The length of each sample's difference, [N], with the derivative 0 at 0. */
const lengths = (difference: Tensor): Tensor => {
  const rows = eachFlat(difference);
  const squares = sum(mul(rows, rows), { axis: 1 }) as Tensor;
  const some = greater(squares, 0);
  return where(some, sqrt(where(some, squares, 1) as Tensor), 0) as Tensor;
};

/**
 * Diffusion posterior sampling: samples whose measurement is the given one. To the score is added −s ∇ₓ ‖y −
 * A(x̂₀(x))‖, the derivative going through the denoiser, whose forward and backward pass are made at each call.
 *
 * The paper adds the gradient to the sample after each step instead of to the score: the same direction, with a share
 * that does not depend on the step.
 *
 * Source: Chung et al. 2022, arXiv:2209.14687, eqs. 15 and 16, algorithm 1.
 *
 * @param measure A: of x₀ [N, …] and the inputs, giving [N, …]; each sample's own
 * @param target y, in shape and dtype of what is measured; or a function of the inputs
 * @param options see {@link ReconstructionOptions}
 * @returns a modifier of denoisers
 * @throws ArgumentError for what is no function, target, scale or option, DTypeError for a scale of other dtypes; the
 *   denoiser: ShapeError, DTypeError when measurement and target differ
 * @example
 * ```js
 * import { sum, tensor } from 'tenfold';
 * import { denoiser, reconstructionGuidance } from 'tenfold/diffusion';
 * const total = x0 => sum(x0, { axis: 1 });
 * const guided = reconstructionGuidance(total, tensor([5]))(denoiser(x => x, { prediction: 'x0', scaling: 'exploding'
 * })); const level = { alpha: tensor(1), sigma: tensor(1), time: tensor(0) };
 * guided(tensor([[1, 2]]), level, { inputs: null }).x0.toArray(); // => [[2, 3]]
 * ```
 */
export const reconstructionGuidance = <E = unknown>(
  measure: Measurement<E>,
  target: FromInputs<E>,
  options: ReconstructionOptions = {},
): DenoiserModifier<E> => {
  checkFunctions('reconstructionGuidance', { measure });
  checkFromInputs('reconstructionGuidance', 'target', target);
  checkOptions('reconstructionGuidance', ['scale'], options);
  const { scale = 1 } = options;
  checkCoefficient('reconstructionGuidance', 'scale', scale);
  return (denoiser: Denoiser<E>) => (x, level, context) => {
    checkCount('reconstructionGuidance', 'scale', scale, x);
    const wanted = fromInputs('reconstructionGuidance', 'target', target, context.inputs);
    const distance = (y: Tensor): readonly [Tensor, Denoised] => {
      const denoised = denoiser(y, level, context);
      const measured = measure(denoised.x0, context.inputs);
      checkMeasured(measured, wanted, x);
      return [sum(lengths(sub(wanted, measured) as Tensor)) as Tensor, denoised];
    };
    const [[, denoised], gradient] = valueAndGrad(distance, { aux: true })(x);
    const towards = combine([typeof scale === 'number' ? -scale : (mul(scale, -1) as Tensor), gradient]);
    return withParts(denoised, withScore(denoised, towards, level));
  };
};

/** Refuses measurements that are not like the target, one for each sample. */
const checkMeasured = (measured: Tensor, target: Tensor, x: Tensor): void => {
  checkTensors('reconstructionGuidance', { 'what is measured': measured });
  checkAlike('reconstructionGuidance', { 'what is measured': measured, target });
  if (measured.shape[0] === x.shape[0] && isFloat(measured.dtype)) return;
  throw new ShapeError({
    operation: 'reconstructionGuidance',
    given: `a measurement ${showAval(measured)} of samples ${showAval(x)}`,
    rule: 'there is one measurement for each sample',
    hint: 'Reduce over all axes but the first.',
  });
};
