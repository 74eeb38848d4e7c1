/**
 * A neural ordinary differential equation (Chen et al. 2018, arXiv:1806.07366): a network that says where things move, fitted
 * to where they get to.
 *
 * The solver is a loop as a value, `fold` over the steps of a Runge–Kutta method, and is differentiated like any other
 * function: what `grad` gives is the gradient of the solver itself, not an approximation of one. It costs memory for the
 * states of all steps. `segments` buys that back: the loop is cut into segments of which only the first states are kept,
 * and each is run once more on the way back. The same gradient, bit for bit.
 */
import {
  add,
  all,
  equal,
  explain,
  type FoldOptions,
  fold,
  grad,
  matmul,
  mean,
  mul,
  realize,
  square,
  sub,
  type Tensor,
  tanh,
  tensor,
} from 'tenfold';
import { mlp } from 'tenfold/nn';
import { type AdamMemory, adam, applyUpdates, type OptimizerState, warmupCosine } from 'tenfold/optim';
import { foldIn, key, uniform } from 'tenfold/random';
import { leaves } from 'tenfold/tree';
import { runAsProgram } from './common/program.js';
import { printTable } from './common/table.js';

/** dy/dt = f(y), for points [N, 2]. */
type Field = (y: Tensor) => Tensor;
type Segments = FoldOptions['segments'];

/** Where points are after so many steps of the classical Runge–Kutta method. */
const flow = (field: Field, start: Tensor, steps: number, segments?: Segments): Tensor =>
  fold(
    (y: Tensor) => {
      const k1 = field(y);
      const k2 = field(add(y, mul(k1, dt / 2)));
      const k3 = field(add(y, mul(k2, dt / 2)));
      const k4 = field(add(y, mul(k3, dt)));
      return add(y, mul(add(add(k1, k4), mul(add(k2, k3), 2)), dt / 6));
    },
    { segments },
  )(start, steps);

/** A spiral that winds inwards, dy/dt = y³ A, and the time of a step along it. */
const dt = 0.025;
const spiral: Field = y =>
  matmul(
    mul(y, square(y)),
    tensor([
      [-0.1, 2],
      [-2, -0.1],
    ]),
  );

// It is shown y³, as in the authors' own example, and one hidden layer will do.
const network = mlp([2, 50, 2], { activation: tanh });
type Params = ReturnType<typeof network.init>;
const fieldOf =
  (params: Params): Field =>
  y =>
    network.apply(params, mul(y, square(y)));

/** The mean squared distance between where the network and the spiral lead. */
const lossOf = (params: Params, start: Tensor, steps: number, segments?: Segments): Tensor =>
  mean(square(sub(flow(fieldOf(params), start, steps, segments), flow(spiral, start, steps))));

interface Training {
  readonly params: Params;
  readonly memory: OptimizerState<AdamMemory>;
}

/** Fits the network to pieces of 20 steps, 64 at a time. The training is a fold as well, with the solver's inside. */
const train = (steps: number): Params => {
  const optimizer = adam(warmupCosine({ peak: 1e-2, warmup: 20, steps }));
  const first = network.init(key(0));
  const step = ({ params, memory }: Training, index: Tensor): Training => {
    const start = uniform(foldIn(key(1), index), [64, 2], { low: -2, high: 2 });
    const gradient = grad((p: Params) => lossOf(p, start, 20))(params);
    const [updates, next] = optimizer.update(gradient, memory, params);
    return { params: applyUpdates(params, updates), memory: next };
  };
  return realize(fold(step)({ params: first, memory: optimizer.init(first) }, steps).params);
};

export interface Options {
  readonly trainingSteps?: number;
  /** How many paths there are, and of how many steps, where the memory of the derivative is compared. */
  readonly paths?: number;
  readonly length?: number;
}

export const main = async ({ trainingSteps = 3000, paths = 200, length = 1000 }: Options = {}) => {
  const untrained = network.init(key(0));
  const trained = train(trainingSteps);
  const start = tensor([[2, 0]]);
  const distanceOf = (params: Params, steps: number): number => Number(lossOf(params, start, steps).item());
  const fits = [100, 200, 400].map(steps => ({
    steps,
    untrained: distanceOf(untrained, steps),
    trained: distanceOf(trained, steps),
  }));
  console.log('Mean squared distance from the spiral, after so many steps from its start:');
  printTable(fits);

  const starts = uniform(key(2), [paths, 2], { low: -2, high: 2 });
  const gradientWith = (segments: Segments) => grad((params: Params) => lossOf(params, starts, length, segments));
  const plain = leaves(gradientWith(undefined)(trained));
  const memory = ([undefined, 'sqrt', [10, 10]] as const).map(segments => {
    const gradient = gradientWith(segments);
    const isSame = leaves(gradient(trained)).every((leaf, i) => all(equal(leaf, plain[i]!)).item());
    const started = performance.now();
    realize(gradient(trained));
    const ms = Math.round(performance.now() - started);
    const MiB = explain(gradient)(trained).report!.memory.arena / 2 ** 20;
    return { segments: JSON.stringify(segments) ?? 'none', MiB, ms, 'same bits': String(isSame) };
  });
  console.log(`\nThe gradient of ${paths} paths of ${length} steps:`);
  printTable(memory);
  return { fits, memory };
};

runAsProgram(import.meta, main);
