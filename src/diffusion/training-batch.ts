/** Batches to train on: data, what conditions it, and conditions left out now and then. */
import { checkRate } from '../nn/dropout.js';
import { bernoulli } from '../random/draw.js';
import type { Key } from '../random/key.js';
import { isFloat } from '../tensor/dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../tensor/errors.js';
import { checkHolds, kindOf } from '../tensor/ops/common/checks.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { full } from '../tensor/ops/creation/creation.js';
import { where } from '../tensor/ops/elementwise/comparison.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import { checkArgument, sameShape, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** Tensors by the names under which a model takes them. */
export type Conditions = Readonly<Record<string, Tensor>>;

/** What a batch brings of a model's context: all of it but the key. */
export type ModelConditions<C> = unknown extends C ? Conditions : Omit<NonNullable<C>, 'key'>;

/** Examples [N, …], alone or with what the model is told of each: tensors [N, …] by name. */
export type TrainBatch<I = Conditions> = Tensor | { readonly x: Tensor; readonly inputs?: I };

/** How inputs are left out, for classifier-free guidance. */
export interface ConditioningDropout {
  /** The probability, drawn for each sample and step. */
  readonly rate: number;
  /** By the names of inputs, what stands for none: a number, or a tensor like a sample's input. */
  readonly value: Readonly<Record<string, Tensor | number>>;
}

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isTensor(value);

/** @throws ArgumentError for a dropout that is none */
export const checkDropout = (dropout: ConditioningDropout | undefined): void => {
  if (dropout === undefined) return;
  checkArgument(
    isRecord(dropout),
    'trainer',
    `${kindOf(dropout)} as conditioningDropout`,
    'it has a rate and a value',
    'Write { rate: 0.1, value: { y: numClasses } }.',
  );
  checkOptions('trainer', ['rate', 'value'], dropout);
  checkRate('trainer', dropout.rate);
  const values: readonly unknown[] = isRecord(dropout.value) ? Object.values(dropout.value) : [];
  checkArgument(
    values.length > 0 && values.every(value => typeof value === 'number' || isTensor(value)),
    'trainer',
    `${kindOf(dropout.value)} as the value of conditioningDropout`,
    'it is a record of numbers or tensors by the names of inputs',
    'Write { y: numClasses }.',
  );
};

/** The data and the inputs of a batch, checked. */
export const examplesOf = (batch: TrainBatch<unknown>): { readonly x: Tensor; readonly inputs: Conditions } => {
  const operation = 'trainer step';
  if (isRecord(batch)) checkOptions(operation, ['x', 'inputs'], batch);
  const { x, inputs = {} } = (isRecord(batch) ? batch : { x: batch }) as { x: Tensor; inputs?: Conditions };
  if (!isTensor(x) || x.shape.length === 0 || x.shape[0] === 0) {
    throw new ShapeError({
      operation,
      given: isTensor(x) ? showAval(x) : typeof x,
      rule: 'a batch has its examples, at least one, along the first axis',
      hint: 'Use expandDims(x, 0) for a batch of one.',
    });
  }
  if (!isFloat(x.dtype)) {
    throw new DTypeError({
      operation,
      given: showAval(x),
      rule: 'a batch is a float tensor',
      hint: "Scale images first, as toUnitRange does, or cast(x, 'float32').",
    });
  }
  checkArgument(
    isRecord(inputs),
    operation,
    `${kindOf(inputs)} as the inputs`,
    'inputs are tensors by name',
    'Write { x, inputs: { y: labels } }.',
  );
  for (const [name, input] of Object.entries(inputs)) {
    if (isTensor(input) && input.shape[0] === x.shape[0] && name !== 'key') continue;
    throw new (isTensor(input) ? ShapeError : ArgumentError)({
      operation,
      given: `${isTensor(input) ? showAval(input) : kindOf(input)} as the input ${name} of ${showAval(x)}`,
      rule:
        name === 'key'
          ? 'the key is that of the training'
          : 'an input is a tensor with one entry a sample along the first axis',
      hint: 'Write { x, inputs: { y: labels } } with labels of shape [N].',
    });
  }
  return { x, inputs };
};

/** The inputs, some samples' replaced by what stands for none. */
export const withoutSome = (inputs: Conditions, dropout: ConditioningDropout | undefined, key: Key): Conditions => {
  if (dropout === undefined) return inputs;
  const replaced = Object.entries(dropout.value).map(([name, none]): readonly [string, Tensor] => {
    const input = inputs[name];
    if (input === undefined) {
      throw new ArgumentError({
        operation: 'trainer step',
        given: `a batch without the input ${name}`,
        rule: 'conditioningDropout leaves out inputs that are there',
        hint: `Give batches as { x, inputs: { ${name}: … } }.`,
      });
    }
    const [count, ...rest] = input.shape as readonly [number, ...number[]];
    const left = reshape(bernoulli(key, dropout.rate, [count]), [count, ...rest.map(() => 1)]) as Tensor;
    if (typeof none === 'number') checkHolds('trainer step', input.dtype, none, ` for none of the input ${name}`);
    const fits = !isTensor(none) || (none.dtype === input.dtype && sameShape(none.shape, rest));
    if (!fits) {
      throw new ShapeError({
        operation: 'trainer step',
        given: `${showAval(none)} as what stands for none of the input ${name}, ${showAval(input)}`,
        rule: "it is a number, or like one sample's input",
        hint: 'Leave out the batch axis, and cast it to the dtype of the input.',
      });
    }
    // As a number it would make numbers of what is true or false.
    const instead = typeof none === 'number' ? full([], none, { dtype: input.dtype }) : none;
    return [name, where(left, instead as Tensor, input) as Tensor];
  });
  return { ...inputs, ...Object.fromEntries(replaced) };
};
