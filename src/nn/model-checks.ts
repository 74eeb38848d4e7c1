/** Checks of what models are applied to, in their names. */
import { isFloat } from '../tensor/dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { unaryOperand } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { type Shape, sameShape, showAval, showShape } from '../tensor/shape.js';
import { isTensor, type Tensor, wrap } from '../tensor/tensor.js';
import { type Flat, flattenFor, showPath } from '../tree/tree.js';

/** What is known of the pictures of a model. */
interface PictureSizes {
  readonly inChannels: number;
  /** How many spatial axes there are. */
  readonly dims: number;
}

const hint = 'Use parameters that this model has made with init(key), or that loadStateDict gives for it.';

/** @internal Refuses what has not the form and the shapes of the parameters that a model makes. */
export const checkParams = (operation: string, like: Flat, params: unknown): void => {
  const given = flattenFor(operation, params);
  const at = new Map(given.paths.map((path, i) => [showPath(path), given.leaves[i]]));
  for (const [i, path] of like.paths.entries()) {
    const [place, wanted] = [showPath(path), like.leaves[i] as Tensor];
    const leaf = at.get(place);
    if (isTensor(leaf) && sameShape(leaf.shape, wanted.shape) && isFloat(leaf.dtype)) continue;
    throw new ShapeError({
      operation,
      given: `${isTensor(leaf) ? showAval(leaf) : kindOf(leaf)} as the parameter ${place}`,
      rule: `it is ${showAval(wanted)}`,
      hint,
    });
  }
  if (at.size === like.paths.length) return;
  const known = new Set(like.paths.map(showPath));
  throw new ShapeError({
    operation,
    given: `a parameter ${[...at.keys()].find(place => !known.has(place))}`,
    rule: 'the model has no such parameter',
    hint,
  });
};

/** @internal x as floats: [N, inChannels, …spatial]. */
export const pictureOf = (operation: string, x: unknown, { inChannels, dims }: PictureSizes): Tensor => {
  const floats = wrap(unaryOperand(operation, x, { toFloat: true })) as Tensor;
  if (floats.shape.length === dims + 2 && floats.shape[1] === inChannels) return floats;
  throw new ShapeError({
    operation,
    given: `${showAval(floats)} as x`,
    rule: `x is [N, ${inChannels}${', length'.repeat(dims)}]`,
    hint: 'Examples are the first axis, channels the second.',
  });
};

/** @internal One timestep for each example. */
export const checkTimes = (operation: string, t: unknown, n: number): void => {
  if (!isTensor(t) || !sameShape(t.shape, [n])) {
    throw new ShapeError({
      operation,
      given: `${isTensor(t) ? showAval(t) : kindOf(t)} as t, for ${n} examples`,
      rule: 'there is one timestep for each example',
      hint: 'Use broadcastTo(t, [n]) for a timestep that all examples share.',
    });
  }
  if (t.dtype === 'bool') {
    throw new DTypeError({
      operation,
      given: `${showAval(t)} as t`,
      rule: 'timesteps are numbers',
      hint: 'Use cast.',
    });
  }
};

/** @internal One class for each example, where there are classes. */
export const checkClasses = (operation: string, y: unknown, n: number, numClasses: number | undefined): void => {
  if (numClasses === undefined) {
    if (y === undefined) return;
    throw new ArgumentError({
      operation,
      given: `${isTensor(y) ? showAval(y) : kindOf(y)} as y`,
      rule: 'the model has no classes',
      hint: 'Make it with numClasses, or leave y out.',
    });
  }
  if (isTensor(y) && sameShape(y.shape, [n]) && ['int32', 'uint32', 'uint8'].includes(y.dtype)) return;
  throw new ShapeError({
    operation,
    given: `${isTensor(y) ? showAval(y) : kindOf(y)} as y`,
    rule: `there is a class for each example: integers ${showShape([n] as Shape)}`,
    hint: `Pass { y: tensor([…], { dtype: 'int32' }) }, each from 0 to ${numClasses - 1}.`,
  });
};

/** @internal What is told beside x and t, as an object. */
export const checkContext = (operation: string, names: readonly string[], context: unknown): void =>
  checkOptions(operation, names, context, {
    rule: `beside x and t it is told ${names.join(' and ')}`,
    hint: `Write apply(params, x, t, { ${names[0]}: … }).`,
  });
