/** Optimizers that treat each leaf by itself: a rule for one leaf made a gradient transform of whole trees. */
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { tensor, zerosLike } from '../tensor/ops/creation/creation.js';
import { add, mul, neg } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { expm1 } from '../tensor/ops/elementwise/elementary.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { placesOf } from './leaves.js';
import {
  type CountState,
  chainFor,
  countOf,
  type GradientTransform,
  type Schedule,
  scaleByLearningRateFor,
} from './transform.js';

/** What a rule remembers of a leaf, by name. */
type Memory<K extends string> = Readonly<Record<K, Tensor>>;

/** The number of steps done, and by name trees of the form of the parameters. */
export type RuleState<K extends string> = CountState & Readonly<Record<K, unknown>>;

/** State of an optimizer: of its rule, and the number of steps done, which the learning rate may follow. */
export type OptimizerState<K extends string = never> = readonly [RuleState<K>, CountState];

/** What every optimizer takes beside options of its own. */
export interface CommonOptions {
  /** Multiple of the parameters that counts as part of their gradient (an L2 penalty). Default 0. */
  readonly weightDecay?: number;
  /** Whether to climb rather than to descend. Default false. */
  readonly maximize?: boolean;
}

/** How a leaf is updated. */
export interface Rule<K extends string> {
  /** What is remembered of a parameter before the first step, by name. */
  readonly memory: Readonly<Record<K, (p: Tensor) => Tensor>>;
  /** The shape of what is remembered of a leaf; its own if left out. */
  readonly shapeOf?: (name: K, shape: Shape) => Shape;
  /** A step, the count-th from 1: of the gradient, what is remembered and the parameter, the update and what to remember. */
  readonly step: (count: Tensor) => (g: Tensor, memory: Memory<K>, p: Tensor) => readonly [Tensor, Memory<K>];
}

/** Settings of {@link ruledFor}. */
interface Settings extends CommonOptions {
  /** Whether the decay is added to the update, past the rule, and not to the gradient. */
  readonly decoupled?: boolean;
}

/** @internal `zerosLike`, for rules. */
export const nothing = (p: Tensor): Tensor => zerosLike(p);

/** @internal `decay · average + (1 − decay) · value`. */
export const decayed = (average: Tensor, value: Tensor, decay: number): Tensor =>
  add(mul(average, decay), mul(value, 1 - decay));

/** @internal 1 − βᵗ, by expm1: written out it would lose three digits of float32 in the first steps. */
export const unbiasing = (count: Tensor, beta: number, { dtype }: Tensor): Tensor =>
  neg(expm1(mul(cast(count, dtype), Math.log(beta)) as Tensor)) as Tensor;

/** @internal A rule as a transform of trees. */
export const ruledFor = <K extends string>(
  operation: string,
  { memory, shapeOf, step }: Rule<K>,
  { weightDecay = 0, maximize = false, decoupled = false }: Settings = {},
): GradientTransform<RuleState<K>> => {
  const names = Object.keys(memory) as K[];
  const entries = <V>(made: (name: K, i: number) => V): Readonly<Record<K, V>> =>
    Object.fromEntries(names.map((name, i) => [name, made(name, i)])) as Record<K, V>;
  return Object.freeze({
    init: <P>(params: P): RuleState<K> => {
      const { leaves, unflatten } = placesOf(operation, [params]);
      return Object.freeze({
        count: tensor(0, { dtype: 'int32' }),
        ...entries(name => unflatten(leaves.map(([p]) => memory[name](p!)))),
      });
    },
    update: <P>(updates: P, state: RuleState<K>, params: P) => {
      const count = add(countOf(operation, state), 1);
      const trees = [updates, params, ...names.map(name => state[name])] as const;
      const places = placesOf(operation, trees, ({ shape }, tree) =>
        tree === 1 || shapeOf === undefined ? shape : shapeOf(names[tree - 2]!, shape),
      );
      const one = step(count);
      const results = places.leaves.map(([given, p, ...kept]) => {
        const g = maximize ? neg(given!) : given!;
        const penalised = (u: Tensor): Tensor => (weightDecay === 0 ? u : (add(u, mul(p!, weightDecay)) as Tensor));
        const remembered = entries((_, i) => kept[i]!);
        const [update, next] = one(decoupled ? g : penalised(g), remembered, p!);
        return [decoupled ? penalised(update) : update, next] as const;
      });
      const next = entries(name => places.unflatten(results.map(([, kept]) => kept[name])));
      return Object.freeze([
        places.unflatten(results.map(([update]) => update)),
        Object.freeze({ count, ...next }),
      ] as const);
    },
  });
};

/** The names of {@link CommonOptions}. */
const common = ['weightDecay', 'maximize'] as const;

/** @internal Refuses wrong and unknown options. `own` are the names of the options that are not common. */
export const checkRuleOptions = (
  operation: string,
  own: readonly string[],
  options: CommonOptions | undefined,
): void => {
  checkOptions(operation, [...own, ...common], options);
  const { weightDecay = 0, maximize } = options ?? {};
  checkNumber(operation, 'weightDecay', weightDecay, 'notNegative');
  checkFlag(operation, 'maximize', maximize);
};

/** @internal A rule and a learning rate as an optimizer. */
export const optimizerFor = <K extends string>(
  operation: string,
  learningRate: Schedule,
  rule: Rule<K>,
  settings: Settings,
): GradientTransform<OptimizerState<K>> =>
  chainFor(operation, [
    ruledFor(operation, rule, settings),
    scaleByLearningRateFor(operation, learningRate),
  ] as const) as GradientTransform<OptimizerState<K>>;
