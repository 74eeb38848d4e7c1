/** Optimizers: made with wrong settings, given trees that are none or do not fit. */
import { type Tensor, tensor, zeros } from 'tenfold';
import {
  adam,
  applyUpdates,
  chain,
  emaWarmup,
  type GradientTransform,
  scale,
  scaleByAdam,
  scaleByLearningRate,
  updateEma,
  warmupCosine,
} from 'tenfold/optim';
import { type BadInputs, refused } from './types.js';

const w = { w: tensor([1, 2]) };
const noTrees = [undefined, 3, 'w', { w: 3 }, { w: [1, 2] }, { w: zeros([2], { dtype: 'int32' }) }];
const others = [
  ...noTrees,
  null,
  {},
  { v: tensor([1, 2]) },
  { w: tensor([1, 2, 3]) },
  { w: tensor(1) },
  [tensor([1, 2])],
];
const noNumbers = [undefined, null, Number.NaN, '1', [1], {}];
const noDecays = [...noNumbers, -0.1, 1.1, tensor(0.5)];
const noTransforms = [undefined, null, 3, 'adam', {}, { init: () => null }, adam];

/** What no transform takes: trees, and where it remembers something, states. */
const applied = (transform: GradientTransform, states: readonly unknown[]): BadInputs[string] => [
  ...refused(transform.update, ...noTrees.map(updates => [updates, transform.init(w), w])),
  ...refused(transform.update, ...states.map(state => [w, state, w])),
];

const noCounts = [undefined, null, 3, {}, { count: 1 }];
const noMoments = (state: object): readonly unknown[] =>
  ['firstMoment', 'secondMoment'].flatMap(moment => others.map(tree => ({ ...state, [moment]: tree })));

/** Both have a learning rate. */
const rated = (make: (rate: never) => unknown, init: (rate: never) => GradientTransform): BadInputs[string] => [
  ...refused(make, ...[...noNumbers, tensor(1)].map(rate => [rate])),
  ...[1, undefined, '1', tensor([1, 2])].map(rate => () => {
    const transform = init((() => rate) as never);
    return transform.update(w, transform.init(w), w);
  }),
];

const adams = (make: (options: unknown) => GradientTransform): BadInputs[string] => [
  ...['beta1', 'beta2'].flatMap(name => [...noDecays.slice(1), 1].map(beta => () => make({ [name]: beta }))),
  ...[...noNumbers.slice(1), -1, tensor(1)].map(epsilon => () => make({ epsilon })),
  ...[null, 3, [], { beta: 0.9 }].map(options => () => make(options)),
  ...refused(make({}).init, ...noTrees.map(tree => [tree])),
];

const moments = scaleByAdam();
const start = moments.init(w);
const rule = adam(0.1);

export const optim: BadInputs = {
  scaleByAdam: [
    ...adams(options => scaleByAdam(options as never) as GradientTransform),
    ...applied(moments as GradientTransform, [...noCounts, ...noMoments(start)]),
  ],
  adam: [
    ...adams(options => adam(0.1, options as never) as GradientTransform),
    ...rated(adam, rate => adam(rate) as GradientTransform),
    ...applied(rule as GradientTransform, [undefined, null, [], start, [start], [null, null], [start, null]]),
    ...refused(rule.update, ...noMoments(start).map(state => [w, [state, { count: tensor(0) }], w])),
  ],
  scaleByLearningRate: [
    ...rated(scaleByLearningRate, rate => scaleByLearningRate(rate) as GradientTransform),
    ...applied(scaleByLearningRate(0.1) as GradientTransform, noCounts),
  ],
  scale: [...refused(scale, ...[...noNumbers, tensor([1, 2])].map(factor => [factor])), ...applied(scale(2), [])],
  chain: [
    ...refused(chain, ...noTransforms.flatMap(transform => [[transform], [scale(2), transform]])),
    ...refused(chain(scale(2)).update, ...[undefined, null, {}, [], [null, null]].map(state => [w, state, w])),
    ...[undefined, 3, [w]].map(
      result => () => chain({ init: () => null, update: () => result as never }).update(w, [null], w),
    ),
  ],
  applyUpdates: refused(
    applyUpdates,
    [],
    ...noTrees.flatMap(tree => [
      [tree, w],
      [tree, tree],
    ]),
    ...others.map(tree => [w, tree]),
  ),
  updateEma: refused(
    updateEma,
    ...others.flatMap(tree => [
      [w, tree, 0.9],
      [tree, w, 0.9],
      [w, tree, tensor(0.9)],
    ]),
    ...[...noNumbers, -0.1, 1.1, tensor([0.5, 0.5])].map(decay => [w, w, decay]),
  ),
  emaWarmup: [
    ...refused(emaWarmup, ...noDecays.map(decay => [decay])),
    ...refused(emaWarmup(0.9), ...noNumbers.map(count => [count]), [3]),
  ],
  warmupCosine: [
    ...refused(
      warmupCosine,
      ...[undefined, null, 3, [], {}, { peak: 1, warmup: 1, steps: 2, stop: 3 }].map(given => [given]),
    ),
    ...['peak', 'warmup', 'steps', 'end'].flatMap(name =>
      refused(
        warmupCosine,
        ...[...noNumbers.slice(1), Number.POSITIVE_INFINITY, tensor(1) as Tensor].map(value => [
          { peak: 1, warmup: 1, steps: 2, [name]: value },
        ]),
      ),
    ),
    ...refused(warmupCosine, [{ peak: 1, warmup: 2, steps: 2 }], [{ peak: 1, warmup: -1, steps: 2 }]),
    ...refused(warmupCosine({ peak: 1, warmup: 1, steps: 2 }), ...noNumbers.map(count => [count]), [3]),
  ],
};
