/**
 * Trains a parameter of 4 MB with Adam under a limit of 256 MiB: node training.ts steps [yieldEvery [eager]].
 * Every step replaces 12 MB. Prints a line of JSON at the end.
 */
import { jit, mean, memoryStats, setMemoryLimit, square, sub, type Tensor, tensor, valueAndGrad, zeros } from 'tenfold';
import { adam, applyUpdates } from 'tenfold/optim';

const [steps = 0, yieldEvery = 0] = process.argv.slice(2, 4).map(Number);
const eager = process.argv[4] === 'eager';

setMemoryLimit(256 * 2 ** 20);

type Weights = Tensor<readonly [1024, 1024], 'float32'>;

const optimizer = adam(0.01);
const lossOf = (weights: Weights) => mean(square(sub(weights, 1)));
const first: Weights = zeros([1024, 1024]);

const step = (weights: Weights, state: ReturnType<typeof optimizer.init>) => {
  const [loss, gradient] = valueAndGrad(lossOf)(weights);
  const [updates, next] = optimizer.update(gradient, state, weights);
  return [applyUpdates(weights, updates), next, loss] as const;
};
const trained = eager ? step : jit(step);

let [weights, state, loss] = [first, optimizer.init(first), tensor(0) as Tensor<readonly [], 'float32'>];
const losses: number[] = [];
const resident: number[] = [];
const started = performance.now();
for (let i = 0; i < steps; i++) {
  [weights, state, loss] = trained(weights, state);
  if (i % 200 === 199) {
    losses.push(loss.item());
    resident.push(process.memoryUsage().rss);
  }
  if (yieldEvery > 0 && i % yieldEvery === 0) await new Promise(resolve => setImmediate(resolve));
}
const ms = performance.now() - started;
console.log(JSON.stringify({ steps, ms, losses, resident, last: weights.dataSync()[12345], ...memoryStats() }));
