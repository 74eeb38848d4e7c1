/** Checks of arguments that the functions of this folder share. */
import { isFloat } from '../tensor/dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../tensor/errors.js';
import { sameShape, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** Tensors by the names of the parameters they were given for. */
export type Named = Readonly<Record<string, Tensor>>;

const showNamed = (tensors: Named): string =>
  Object.entries(tensors)
    .map(([name, x]) => `${name} ${showAval(x)}`)
    .join(' and ');

/**
 * Refuses whatever is no tensor.
 *
 * @throws ArgumentError naming the parameter
 */
export const checkTensors = (operation: string, tensors: Readonly<Record<string, unknown>>): void => {
  for (const [name, x] of Object.entries(tensors)) {
    if (isTensor(x)) continue;
    throw new ArgumentError({
      operation,
      given: `${name} of type ${x === null ? 'null' : typeof x}`,
      rule: `${name} is a tensor`,
      hint: 'Make one with tensor(…).',
    });
  }
};

/**
 * Refuses samples that are no floats, or of different shapes or dtypes.
 *
 * @throws ArgumentError, ShapeError, DTypeError with all shapes
 */
export const checkAlike = (operation: string, samples: Named): void => {
  checkTensors(operation, samples);
  const [first, ...others] = Object.values(samples);
  if (others.some(x => !sameShape(x.shape, first!.shape))) {
    throw new ShapeError({
      operation,
      given: showNamed(samples),
      rule: 'they have one shape',
      hint: 'Broadcast or reshape them beforehand.',
    });
  }
  if (!isFloat(first!.dtype) || others.some(x => x.dtype !== first!.dtype)) {
    throw new DTypeError({
      operation,
      given: showNamed(samples),
      rule: others.length === 0 ? 'the dtype is float32 or float64' : 'they have one dtype, float32 or float64',
      hint: "Cast them: cast(x, 'float32').",
    });
  }
};

/**
 * Refuses batches whose timesteps do not fit: samples [N, …] come with timesteps int32 [N].
 *
 * @throws ArgumentError, ShapeError, DTypeError with the shapes
 */
export const checkBatch = (operation: string, samples: Named, t: Tensor): void => {
  checkAlike(operation, samples);
  checkTensors(operation, { t });
  const [first] = Object.values(samples);
  const given = `${showNamed(samples)} and t ${showAval(t)}`;
  if (t.dtype !== 'int32') {
    throw new DTypeError({
      operation,
      given,
      rule: 'timesteps are int32',
      hint: "Make them with tensor([…], { dtype: 'int32' }).",
    });
  }
  if (first!.shape.length === 0 || t.shape.length !== 1 || t.shape[0] !== first!.shape[0]) {
    throw new ShapeError({
      operation,
      given,
      rule: 'samples of shape [N, …] come with timesteps of shape [N]',
      hint: 'For one timestep for all samples use full([N], t, { dtype: "int32" }).',
    });
  }
};
