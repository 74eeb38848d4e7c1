/** Optimizers, what is put around them, and learning rates: wrong settings, and trees that are none or do not fit. */
import { tensor, zeros } from 'tenfold';
import {
  accumulate,
  adadelta,
  adafactor,
  adagrad,
  adamax,
  adamw,
  clipByGlobalNorm,
  clipByValue,
  constantLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  cyclicLR,
  emaPowerWarmup,
  exponentialLR,
  type GradientTransform,
  globalNorm,
  lamb,
  linearLR,
  lion,
  lookahead,
  multiStepLR,
  multiTransform,
  muon,
  nadam,
  oneCycleLR,
  oneCycleMomentum,
  piecewiseLR,
  polynomialLR,
  powerEma,
  radam,
  reduceLROnPlateau,
  rmsprop,
  scale,
  sequentialLR,
  sgd,
  stepLR,
  weightDecay,
} from 'tenfold/optim';
import { type BadInputs, refused } from './types.js';

const w = { w: tensor([[1, 2]]) };
const noTrees = [undefined, 3, 'w', { w: 3 }, { w: [1, 2] }, { w: zeros([1, 2], { dtype: 'int32' }) }];
const others = [...noTrees, null, {}, { v: tensor([[1, 2]]) }, { w: tensor([[1, 2, 3]]) }, [tensor([[1, 2]])]];
const noNumbers = [null, Number.NaN, '1', [1], {}, tensor(1)];
const noOptions = [null, 3, [], { bogus: 1 }];
const noFlags = [null, 1, 'true', tensor(1)];
const noDecays = [...noNumbers, -0.1, 1.1];
const notAbove = [...noNumbers, -1, Number.NEGATIVE_INFINITY];
const noCounts = [undefined, null, 3, 'x', [1], {}];
const noTransforms = [undefined, null, 3, 'adam', {}, { init: () => null }, sgd];

type Calls = BadInputs[string];
type Values = Readonly<Record<string, readonly unknown[]>>;

/** A good call with one option at a time made bad. */
const spoiled = (make: (options: unknown) => unknown, values: Values, good: object = {}): Calls => [
  ...noOptions.map(options => () => make(options)),
  ...Object.entries(values).flatMap(([name, bad]) => bad.map(value => () => make({ ...good, [name]: value }))),
];

/** What no transform takes: trees, and states. */
const applied = (transform: GradientTransform, states: readonly unknown[] = []): Calls => [
  ...refused(transform.update, ...noTrees.map(updates => [updates, transform.init(w), w])),
  ...refused(transform.update, ...states.map(state => [w, state, w])),
];

/** What no optimizer takes. */
const optimizer = (make: unknown, options: Values): Calls => {
  const call = make as (rate: unknown, options?: unknown) => GradientTransform<readonly [object, object]>;
  const good = call(0.1);
  const [first, second] = good.init(w);
  const memory = Object.keys(first).filter(name => name !== 'count');
  return [
    ...spoiled(given => call(0.1, given), { weightDecay: notAbove, maximize: noFlags, ...options }),
    ...refused(call, ...[...noNumbers.slice(0, -1), 'x'].map(rate => [rate])),
    ...[1, undefined, '1', tensor([1, 2])].map(rate => () => {
      const transform = call(() => rate);
      return transform.update(w, transform.init(w), w);
    }),
    ...refused(good.init, ...noTrees.map(tree => [tree])),
    ...applied(good, [undefined, null, [], first, [first], [null, null], [first, null]]),
    ...refused(good.update, ...others.filter(tree => tree !== null).map(params => [w, [first, second], params])),
    ...refused(
      good.update,
      ...memory.flatMap(name => others.map(tree => [w, [{ ...first, [name]: tree }, second], w])),
    ),
  ];
};

const moments = { beta1: [...noDecays, 1], beta2: [...noDecays, 1], epsilon: notAbove };

const schedule = (make: (...args: readonly never[]) => unknown, options: Values, good: object = {}): Calls => {
  const call = make as unknown as (rate: unknown, options?: unknown) => (count: unknown) => unknown;
  return [
    ...spoiled(given => call(0.1, given), options, good),
    ...refused(call, ...[undefined, ...noNumbers, Number.POSITIVE_INFINITY].map(rate => [rate, good])),
    ...refused(call(0.1, good), ...noCounts.map(count => [count])),
  ];
};

const infinite = [...noNumbers, Number.POSITIVE_INFINITY];
const noSteps = [...infinite, 0, -1];
const noChoices = [null, 1, 'bogus', []];

const oneCycle = { totalSteps: [undefined, ...noSteps, 2], pctStart: [...infinite, 0, 1, -1], threePhase: noFlags };
const noMilestones = [undefined, null, 3, 'x', {}, [null], [Number.NaN], [2, 1], ['1']];
const noPoints = [
  undefined,
  null,
  3,
  [],
  [1],
  [[1]],
  [[1, '2']],
  [[1, Number.NaN]],
  [
    [2, 1],
    [1, 1],
  ],
  [
    [1, 1],
    [1, 2],
  ],
];

const plateau = reduceLROnPlateau(0.1);
const noPatterns = [undefined, null, 3, '', [], tensor(1)];

export const optimizers: BadInputs = {
  adamw: optimizer(adamw, { ...moments, amsgrad: noFlags }),
  adamax: optimizer(adamax, moments),
  nadam: optimizer(nadam, { ...moments, momentumDecay: notAbove }),
  radam: optimizer(radam, moments),
  adagrad: optimizer(adagrad, { learningRateDecay: notAbove, initialAccumulator: notAbove, epsilon: notAbove }),
  adadelta: optimizer(adadelta, { rho: noDecays, epsilon: notAbove }),
  rmsprop: optimizer(rmsprop, { alpha: noDecays, epsilon: notAbove, momentum: notAbove, centered: noFlags }),
  sgd: [
    ...optimizer(sgd, { momentum: notAbove, dampening: noNumbers, nesterov: [...noFlags, true] }),
    ...refused(sgd, [0.1, { momentum: 0.5, nesterov: true, dampening: 0.1 }]),
    ...[1, undefined, '1', tensor([1, 2])].map(momentum => () => {
      const transform = sgd(0.1, { momentum: (() => momentum) as never });
      return transform.update(w, transform.init(w), w);
    }),
  ],
  lion: optimizer(lion, { beta1: noDecays, beta2: noDecays }),
  lamb: optimizer(lamb, moments),
  adafactor: optimizer(adafactor, {
    scaleParameter: noFlags,
    decayRate: [...notAbove, 0],
    clippingThreshold: [...notAbove, 0],
    beta1: [...noDecays, 1],
    epsilon: notAbove,
    minimumScale: notAbove,
  }),
  muon: [
    ...optimizer(muon, {
      momentum: [...noDecays, 1],
      nesterov: noFlags,
      steps: [...noNumbers, 0, 1.5, -1, 1000],
      epsilon: notAbove,
      adjust: noChoices,
    }),
    ...refused(muon(0.1).init, [tensor([1, 2])], [tensor(1)]),
  ],
  clipByGlobalNorm: [
    ...refused(clipByGlobalNorm, ...[undefined, ...notAbove].map(limit => [limit])),
    ...spoiled(options => clipByGlobalNorm(1, options as never), { ord: [...notAbove, 0] }),
    ...applied(clipByGlobalNorm(1)),
  ],
  clipByValue: [...refused(clipByValue, ...[undefined, ...notAbove].map(limit => [limit])), ...applied(clipByValue(1))],
  globalNorm: [
    ...refused(globalNorm, ...noTrees.map(tree => [tree])),
    ...spoiled(options => globalNorm(w, options as never), { ord: [...notAbove, 0] }),
  ],
  weightDecay: [
    ...refused(weightDecay, ...[undefined, ...notAbove].map(rate => [rate])),
    ...spoiled(options => weightDecay(0.1, options as never), { mask: noPatterns.slice(1) }),
    ...applied(weightDecay(0.1)),
    ...refused(weightDecay(0.1).update, ...others.map(params => [w, null, params])),
    ...refused(weightDecay(0.1, { mask: (() => 1) as never }).update, [w, null, w]),
  ],
  multiTransform: [
    ...refused(multiTransform, [], [null], [3], [[3]], [['**', scale(1)]], [[['**']]]),
    ...refused(multiTransform, ...noPatterns.map(pattern => [[[pattern, scale(1)]]])),
    ...refused(multiTransform, ...noTransforms.map(transform => [[['**', transform]]])),
    ...refused(multiTransform([['v', scale(1)]]).init, [w], ...noTrees.map(tree => [tree])),
    ...refused(multiTransform([[(() => 1) as never, scale(1)]]).init, [w]),
    ...applied(multiTransform([['**', scale(1)]]), [undefined, null, {}, []]),
    ...refused(multiTransform([['**', scale(1)]]).update, ...others.map(tree => [w, [null], tree])),
    ...[undefined, 3, [w], [{ v: tensor([[1, 2]]) }, null]].map(
      result => () =>
        multiTransform([['**', { init: () => null, update: () => result as never }]]).update(w, [null], w),
    ),
  ],
  accumulate: [
    ...refused(accumulate, ...noTransforms.map(transform => [transform, 2])),
    ...refused(accumulate, ...[undefined, ...noSteps, 1.5].map(every => [sgd(0.1), every])),
    ...spoiled(options => accumulate(sgd(0.1), 2, options as never), { reduce: noChoices }),
    ...refused(accumulate(scale(2), 2).init, ...noTrees.map(tree => [tree])),
    ...applied(accumulate(scale(2), 2), noCounts),
    ...refused(
      accumulate(scale(2), 2).update,
      ...others.map(gradients => [w, { ...accumulate(scale(2), 2).init(w), gradients }, w]),
    ),
  ],
  lookahead: [
    ...refused(lookahead, ...noTransforms.map(transform => [transform])),
    ...spoiled(options => lookahead(sgd(0.1), options as never), { every: [...noSteps, 1.5], rate: noDecays }),
    ...refused(lookahead(scale(2)).init, ...noTrees.map(tree => [tree])),
    ...refused(
      lookahead({ init: () => null, update: <P>(updates: P) => [updates, null] as const }).update,
      ...noTrees.map(updates => [updates, lookahead(scale(2)).init(w), w]),
      ...noCounts.map(state => [w, state, w]),
      ...others.flatMap(tree => [
        [w, lookahead(scale(2)).init(w), tree],
        [w, { ...lookahead(scale(2)).init(w), slow: tree }, w],
      ]),
    ),
  ],
  emaPowerWarmup: [
    ...spoiled(options => emaPowerWarmup(0.9, options as never), {
      inverseGamma: noSteps,
      power: noSteps,
      least: noDecays,
    }),
    ...refused(emaPowerWarmup, ...[undefined, ...noDecays].map(decay => [decay])),
    ...refused(emaPowerWarmup(0.9), ...noCounts.map(count => [count])),
  ],
  powerEma: [
    ...refused(powerEma, ...[undefined, ...noNumbers, 0, -0.1, 0.3].map(width => [width])),
    ...refused(powerEma(0.1), ...noCounts.map(count => [count])),
  ],
  constantLR: schedule(constantLR, { factor: infinite, totalIters: infinite }),
  linearLR: schedule(linearLR, { startFactor: infinite, endFactor: infinite, totalIters: noSteps }),
  polynomialLR: schedule(polynomialLR, { totalIters: noSteps, power: noSteps }),
  exponentialLR: schedule(exponentialLR, { gamma: [undefined, ...infinite] }, { gamma: 0.9 }),
  stepLR: schedule(stepLR, { stepSize: [undefined, ...noSteps], gamma: infinite }, { stepSize: 3 }),
  multiStepLR: schedule(multiStepLR, { milestones: noMilestones, gamma: infinite }, { milestones: [3] }),
  cosineAnnealingLR: schedule(cosineAnnealingLR, { tMax: [undefined, ...noSteps], etaMin: infinite }, { tMax: 3 }),
  cosineAnnealingWarmRestarts: schedule(
    cosineAnnealingWarmRestarts,
    { t0: [undefined, ...noSteps], tMult: [...noSteps, 1.5], etaMin: infinite },
    { t0: 3 },
  ),
  cyclicLR: schedule(
    cyclicLR,
    {
      maxRate: [undefined, ...infinite],
      stepSizeUp: noSteps,
      stepSizeDown: noSteps,
      mode: noChoices,
      gamma: infinite,
    },
    { maxRate: 1 },
  ),
  oneCycleLR: schedule(
    oneCycleLR,
    { ...oneCycle, annealStrategy: noChoices, divFactor: noSteps, finalDivFactor: noSteps },
    { totalSteps: 100 },
  ),
  oneCycleMomentum: [
    ...spoiled(
      options => oneCycleMomentum(options as never),
      { ...oneCycle, annealStrategy: noChoices, baseMomentum: infinite, maxMomentum: infinite },
      { totalSteps: 100 },
    ),
    ...refused(oneCycleMomentum({ totalSteps: 100 }), ...noCounts.map(count => [count])),
  ],
  sequentialLR: [
    ...refused(sequentialLR, ...[undefined, null, 3, [], [3], [null]].map(schedules => [schedules, []])),
    ...refused(sequentialLR, ...[...noMilestones, [1]].map(milestones => [[constantLR(1)], milestones])),
    ...refused(sequentialLR([constantLR(1)], []), ...noCounts.map(count => [count])),
    ...[undefined, 1, tensor([1, 2])].map(
      rate => () => sequentialLR([(() => rate) as never, constantLR(1)], [1])(tensor(0)),
    ),
  ],
  piecewiseLR: [
    ...refused(piecewiseLR, ...noPoints.map(points => [points])),
    ...spoiled(options => piecewiseLR([[0, 1]], options as never), { between: noChoices }),
    ...refused(piecewiseLR([[0, 1]]), ...noCounts.map(count => [count])),
  ],
  reduceLROnPlateau: [
    ...refused(reduceLROnPlateau, ...[undefined, ...infinite].map(rate => [rate])),
    ...spoiled(options => reduceLROnPlateau(0.1, options as never), {
      mode: noChoices,
      thresholdMode: noChoices,
      dtype: [...noChoices, 'int32'],
      factor: [...infinite, -1, 1],
      patience: infinite,
      threshold: infinite,
      cooldown: infinite,
      minRate: infinite,
      epsilon: infinite,
    }),
    ...refused(plateau.update, ...[undefined, null, 3, {}, { rate: 1 }].map(state => [state, 1])),
    ...refused(plateau.update, ...[undefined, null, '1', {}, tensor([1, 2])].map(metric => [plateau.init(), metric])),
  ],
};
