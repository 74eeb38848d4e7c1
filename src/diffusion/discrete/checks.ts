/** Checks that diffusions over states share, and the way from [N, …] to one axis of positions and back. */
import { keyNode } from '../../random/key.js';
import { type FloatDType, isFloat } from '../../tensor/dtype.js';
import { DTypeError, ShapeError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { reshape } from '../../tensor/ops/movement/movement.js';
import { checkArgument, checkInteger, type Shape, sameShape, showAval, showShape, sizeOf } from '../../tensor/shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import { checkTensors, type Named } from '../checks.js';

/**
 * Refuses states that are not int32 [N, …], or of different shapes.
 *
 * @throws ArgumentError, ShapeError, DTypeError
 */
export const checkStates = (operation: string, states: Named): void => {
  checkTensors(operation, states);
  const [first] = Object.values(states);
  const given = Object.entries(states)
    .map(([name, x]) => `${name} ${showAval(x)}`)
    .join(' and ');
  if (Object.values(states).some(x => x.dtype !== 'int32')) {
    throw new DTypeError({
      operation,
      given,
      rule: 'states are int32',
      hint: "Make them with tensor([…], { dtype: 'int32' }), or cast(x, 'int32').",
    });
  }
  if (first!.shape.length > 0 && Object.values(states).every(x => sameShape(x.shape, first!.shape))) return;
  throw new ShapeError({
    operation,
    given,
    rule: 'states have one shape [N, …]',
    hint: 'Use expandDims(x, 0) for a batch of one.',
  });
};

/**
 * Refuses times that are not [N], or of another dtype.
 *
 * @throws ArgumentError, ShapeError, DTypeError
 */
export const checkTimes = (operation: string, x: Tensor, t: Tensor, kind: 'int32' | 'float'): void => {
  checkTensors(operation, { t });
  const given = `states ${showAval(x)} and t ${showAval(t)}`;
  if (kind === 'int32' ? t.dtype !== 'int32' : !isFloat(t.dtype)) {
    throw new DTypeError({
      operation,
      given,
      rule: kind === 'int32' ? 'timesteps are int32' : 'times are floats',
      hint: kind === 'int32' ? "Make them with tensor([…], { dtype: 'int32' })." : 'Draw them with stratifiedSampler.',
    });
  }
  if (t.shape.length === 1 && t.shape[0] === x.shape[0]) return;
  throw new ShapeError({
    operation,
    given,
    rule: 'states [N, …] come with times [N]',
    hint: 'For one time for all samples use full([N], t).',
  });
};

/**
 * Refuses what is no key, and numbers of samples that cannot be.
 *
 * @throws ArgumentError, IndexError
 */
export const checkKey = (operation: string, key: unknown, firstSample: number, count: number): void => {
  keyNode(operation, key);
  checkInteger(operation, 'firstSample', firstSample, 0, 2 ** 31 - 1 - count);
};

/**
 * Refuses what is no output of a network for these states.
 *
 * @throws ArgumentError, ShapeError, DTypeError
 */
export const checkLogits = (operation: string, logits: Tensor, x: Tensor, states: number): Tensor => {
  checkArgument(
    isTensor(logits),
    operation,
    `a model that gives ${kindOf(logits)}`,
    'a model gives logits of x₀, a tensor',
    'Write (x, t, inputs) => logits.',
  );
  const wanted = [...x.shape, states];
  const given = `logits ${showAval(logits)} for states ${showAval(x)}`;
  if (!sameShape(logits.shape, wanted)) {
    throw new ShapeError({
      operation,
      given,
      rule: `logits have the shape of the states and one more axis for the ${states} states, ${showShape(wanted)}`,
      hint: 'Count the mask as a state where there is one; its logits are not used.',
    });
  }
  if (isFloat(logits.dtype)) return logits;
  throw new DTypeError({ operation, given, rule: 'logits are floats', hint: "Cast them: cast(x, 'float32')." });
};

/**
 * The dtype of a result.
 *
 * @throws DTypeError
 */
export const checkedDType = (operation: string, dtype: FloatDType = 'float32'): FloatDType => {
  if (isFloat(dtype)) return dtype;
  const given = `the dtype ${String(dtype)}`;
  throw new DTypeError({ operation, given, rule: 'it is float32 or float64', hint: 'Leave it out for float32.' });
};

/** [N, …] as [N, P]. */
export const flat = (x: Tensor): Tensor => reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1))]) as Tensor;

/** [N, …, K] as [N, P, K]. */
export const flatLogits = (x: Tensor): Tensor =>
  reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1, -1)), x.shape.at(-1)!]) as Tensor;

/** [N, P, …] as a shape [N, …] asks for. */
export const unflat = (x: Tensor, shape: Shape): Tensor => reshape(x, [...shape, ...x.shape.slice(2)]) as Tensor;
