/** The golden group `optim`: optimizers over 30 steps, clipping, learning rates and averages, in float32 and float64. */
import { type FloatDType, jit, type Tensor, take, tensor } from 'tenfold';
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  applyUpdates,
  clipByGlobalNorm,
  clipByValue,
  type GradientTransform,
  globalNorm,
  multiTransform,
  nadam,
  radam,
  rmsprop,
  type Schedule,
  sgd,
  updateEma,
} from 'tenfold/optim';
import { describe, expect, it } from 'vitest';
import { leaves } from '../../src/tree/tree.js';
import {
  arrayOf,
  at,
  booleanOf,
  type GoldenCase,
  type GoldenGroup,
  goldenTests,
  type Json,
  type JsonObject,
  numberOf,
  numbersOf,
  objectOf,
  selected,
  stringOf,
  unknownCase,
  withinF32,
  withinF64,
} from './read.js';
import { checkSchedule } from './tables/learning-rates.js';

const dtypes = ['float32', 'float64'] as const;

// ---- Reading ------------------------------------------------------------------------------------------------------

type Params = Readonly<Record<string, Tensor>>;

/** A mention of a tensor as one, or row `row` of it. */
const read = (group: GoldenGroup, dtype: FloatDType, ref: Json, row?: number): Tensor => {
  const { data, shape } = group.tensor(ref);
  if (row === undefined) return tensor(data, shape, { dtype }) as Tensor;
  const size = data.length / shape[0]!;
  return tensor(data.slice(row * size, (row + 1) * size), shape.slice(1), { dtype }) as Tensor;
};

const record = <V>(names: readonly string[], made: (name: string) => V): Readonly<Record<string, V>> =>
  Object.fromEntries(names.map(name => [name, made(name)]));

/** Rows that came one by one, beside the tensor that holds all of them. */
const compareRows = (
  where: string,
  dtype: FloatDType,
  rows: readonly Tensor[],
  ref: ReturnType<GoldenGroup['tensor']>,
  error: Json | undefined,
): void => {
  expect(
    rows.map(row => row.dtype),
    where,
  ).toEqual(rows.map(() => dtype));
  const data = rows.flatMap(row => Array.from(row.dataSync() as ArrayLike<number>));
  const got = { shape: [rows.length, ...rows[0]!.shape], data };
  if (dtype === 'float64') withinF64(where, got, ref);
  else withinF32(where, got, ref, error);
};

// ---- Optimizers ---------------------------------------------------------------------------------------------------

/** Arguments of PyTorch's optimizers by our names, and how to read them. */
const common = { weight_decay: ['weightDecay', numberOf], maximize: ['maximize', booleanOf] } as const;
const moments = { eps: ['epsilon', numberOf] } as const;
const amsgrad = { amsgrad: ['amsgrad', booleanOf] } as const;

type Names = Readonly<Record<string, readonly [name: string, read: (json: Json) => unknown]>>;
type Make = (rate: Schedule, options: never) => unknown;

const optimizers: Readonly<Record<string, readonly [make: Make, names: Names]>> = {
  SGD: [
    sgd,
    {
      ...common,
      momentum: ['momentum', numberOf],
      dampening: ['dampening', numberOf],
      nesterov: ['nesterov', booleanOf],
    },
  ],
  Adam: [adam, { ...common, ...moments, ...amsgrad }],
  AdamW: [adamw, { ...common, ...moments, ...amsgrad }],
  Adamax: [adamax, { ...common, ...moments }],
  RAdam: [radam, { ...common, ...moments }],
  NAdam: [nadam, { ...common, ...moments, momentum_decay: ['momentumDecay', numberOf] }],
  Adagrad: [
    adagrad,
    {
      ...common,
      eps: ['epsilon', numberOf],
      lr_decay: ['learningRateDecay', numberOf],
      initial_accumulator_value: ['initialAccumulator', numberOf],
    },
  ],
  RMSprop: [
    rmsprop,
    {
      ...common,
      eps: ['epsilon', numberOf],
      alpha: ['alpha', numberOf],
      momentum: ['momentum', numberOf],
      centered: ['centered', booleanOf],
    },
  ],
  Adadelta: [adadelta, { ...common, eps: ['epsilon', numberOf], rho: ['rho', numberOf] }],
};

/** Refuses to pass over an argument. */
const optionsOf = (args: JsonObject, names: Names): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(args).flatMap(([key, value]): [string, unknown][] => {
      if (key === 'lr') return [];
      if (key === 'betas' && 'eps' in names) {
        const [beta1, beta2] = numbersOf(value);
        return [
          ['beta1', beta1],
          ['beta2', beta2],
        ];
      }
      const [name, readJson] = Object.hasOwn(names, key) ? names[key]! : unknownCase('argument', key);
      return [[name, readJson(value)]];
    }),
  );

const optimizerOf = (testCase: GoldenCase): GradientTransform => {
  const kind = stringOf(at(testCase, 'optimizer'));
  const [make, names] = Object.hasOwn(optimizers, kind) ? optimizers[kind]! : unknownCase('optimizer', kind);
  const args = objectOf(at(testCase, 'all_args'));
  const withArgs = (own: JsonObject): GradientTransform => {
    const all = { ...args, ...own };
    const perStep = testCase.lr_per_step;
    if (perStep !== undefined && own.lr !== undefined) return unknownCase('rates per step beside one of a group', own);
    const rates = perStep === undefined ? undefined : tensor(numbersOf(perStep), { dtype: 'float64' });
    const rate: Schedule = rates === undefined ? numberOf(all.lr) : count => take(rates, count as never) as Tensor;
    return make(rate, optionsOf(all, names) as never) as GradientTransform;
  };
  if (testCase.param_groups === undefined) return withArgs({});
  const groups = arrayOf(testCase.param_groups).flatMap(group => {
    const { params, ...own } = objectOf(group);
    const transform = withArgs(own);
    return arrayOf(params).map(name => [stringOf(name), transform] as const);
  });
  return multiTransform(groups);
};

const checkOptimizer = (testCase: GoldenCase, group: GoldenGroup, dtype: FloatDType): void => {
  const optimizer = optimizerOf(testCase);
  const grads = objectOf(at(testCase, 'inputs', 'grads'));
  const wanted = objectOf(at(testCase, 'out', 'params'));
  const names = Object.keys(wanted);
  expect(Object.keys(grads).sort()).toEqual([...names].sort());
  const step = jit((params: Params, state: unknown, gradients: Params) => {
    const [updates, next] = optimizer.update(gradients, state, params);
    return [applyUpdates(params, updates), next] as const;
  });
  let params = record(names, name => read(group, dtype, at(testCase, 'inputs', 'init', name)));
  let state = optimizer.init(params);
  const trajectory: Params[] = [];
  const steps = group.tensor(wanted[names[0]!]).shape[0]!;
  for (let i = 0; i < steps; i++) {
    [params, state] = step(
      params,
      state,
      record(names, name => read(group, dtype, grads[name]!, i)),
    );
    trajectory.push(params);
  }
  for (const name of names) {
    compareRows(
      `${testCase.name}, ${name}, ${dtype}`,
      dtype,
      trajectory.map(each => each[name]!),
      group.tensor(wanted[name]),
      objectOf(testCase.f32_err ?? {})[name],
    );
  }
};

// ---- Other kinds --------------------------------------------------------------------------------------------------

const compare = (
  where: string,
  dtype: FloatDType,
  got: Tensor,
  ref: ReturnType<GoldenGroup['tensor']>,
  error: Json | undefined,
): void => {
  expect(got.dtype, where).toBe(dtype);
  const values = { shape: got.shape, data: got.dataSync() as ArrayLike<number> };
  if (dtype === 'float64') withinF64(where, values, ref);
  else withinF32(where, values, ref, error);
};

const checkClipping = (testCase: GoldenCase, group: GoldenGroup, dtype: FloatDType): void => {
  const args = objectOf(at(testCase, 'args'));
  const grads = arrayOf(at(testCase, 'inputs', 'grads')).map(ref => read(group, dtype, ref));
  const isNorm = args.clip_value === undefined;
  const ord = numberOf(args.norm_type ?? 2);
  const transform = isNorm
    ? clipByGlobalNorm(numberOf(args.max_norm), { ord })
    : clipByValue(numberOf(args.clip_value));
  const clipped = leaves(transform.update(grads, null, grads)[0]) as readonly Tensor[];
  const out = objectOf(at(testCase, 'out'));
  for (const [i, ref] of arrayOf(out.grads).entries()) {
    const where = `${testCase.name}, gradient ${i}, ${dtype}`;
    compare(where, dtype, clipped[i]!, group.tensor(ref), objectOf(testCase.f32_err ?? {}).grads);
  }
  expect(Object.keys(out).sort()).toEqual(isNorm ? ['grads', 'total_norm'] : ['grads']);
  if (!isNorm) return;
  const total = globalNorm(grads, { ord });
  compare(
    `${testCase.name}, norm`,
    dtype,
    total,
    group.tensor(out.total_norm),
    objectOf(testCase.f32_err ?? {}).total_norm === undefined
      ? undefined
      : [numberOf(objectOf(testCase.f32_err).total_norm), total.item() as number],
  );
};

const checkEma = (testCase: GoldenCase, group: GoldenGroup, dtype: FloatDType): void => {
  const rate = numberOf(at(testCase, 'args', 'rate'));
  const wanted = objectOf(at(testCase, 'out', 'target'));
  const names = Object.keys(wanted);
  let average = record(names, name => read(group, dtype, at(testCase, 'inputs', 'init', name)));
  const averages: Params[] = [];
  const steps = group.tensor(wanted[names[0]!]).shape[0]!;
  for (let i = 0; i < steps; i++) {
    const source = record(names, name => read(group, dtype, at(testCase, 'inputs', 'source', name), i));
    average = updateEma(average, source, rate);
    averages.push(average);
  }
  for (const name of names) {
    compareRows(
      `${testCase.name}, ${name}, ${dtype}`,
      dtype,
      averages.map(each => each[name]!),
      group.tensor(wanted[name]),
      objectOf(testCase.f32_err ?? {})[name],
    );
  }
};

/** The tensors of a problem are what its optimizers start from. */
const checkProblem = (testCase: GoldenCase, group: GoldenGroup): void => {
  const inputs = objectOf(at(testCase, 'inputs'));
  const started = group.cases.filter(
    ({ kind, problem }) => kind === 'optimizer' && `problem/${problem}` === testCase.name,
  );
  for (const { name, inputs: own } of started) {
    for (const [param, ref] of Object.entries(objectOf(at(own!, 'init')))) {
      expect(group.tensor(inputs[param]).data, `${name}, ${param}`).toEqual(group.tensor(ref).data);
    }
  }
  expect(started).not.toEqual([]);
};

const kinds: Readonly<Record<string, (testCase: GoldenCase, group: GoldenGroup, dtype: FloatDType) => void>> = {
  problem: checkProblem,
  optimizer: checkOptimizer,
  clip_grad_norm: checkClipping,
  clip_grad_value: checkClipping,
  lr_schedule: checkSchedule,
  ema: checkEma,
};

const check = (testCase: GoldenCase, group: GoldenGroup): void => {
  const kind = stringOf(at(testCase, 'kind'));
  const run = Object.hasOwn(kinds, kind) ? kinds[kind]! : unknownCase('kind', kind);
  for (const dtype of dtypes) run(testCase, group, dtype);
};

const suite = selected('optim') ? describe : describe.skip;

suite('optim', () => {
  for (const { title, run } of goldenTests('optim', check)) it(title, run);
});
