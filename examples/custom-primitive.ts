/**
 * Operations of one's own: with a derivative, with a batching rule, and with the kernel that they become.
 *
 * A function of operations needs nothing to be differentiated, batched and compiled: its elementwise parts are fused to one
 * kernel, and `explain` shows which. What may be known better than it follows from the parts are the rules:
 *
 * - `customJvp` (or `customVjp`, for reverse mode alone) gives a function the derivative that mathematics has for it. Here
 *   that is Lambert's W, solved for in several steps: its derivative needs none of them.
 * - `customBatch` gives it the form in which many examples are best computed together. Here those are distances of a point
 *   from many others: of many points they are a product of matrices.
 *
 * A primitive with a kernel written by hand is added inside the library: a line in `src/tensor/primitives/signatures.ts` and
 * an entry in the table beside it, which for an elementwise one is its meaning for a number and its partial
 * derivatives; `docs/architecture.md` has the other kinds. TypeScript then asks for the rest: its code in vectors
 * (`src/tensor/backend/wasm/scalar-code.ts`, `math/`) or as a loop (`loops/`), that of the GPU
 * (`src/tensor/backend/gpu/language/`), and samples for the tests.
 */
import {
  abs,
  add,
  customBatch,
  customJvp,
  div,
  exp,
  explain,
  grad,
  log1p,
  matmul,
  max,
  mul,
  neg,
  realize,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  vmap,
} from 'tenfold';
import { key, normal, uniform } from 'tenfold/random';
import { runAsProgram } from './common/program.js';
import { printTable } from './common/table.js';

/** W(x), the w with w eʷ = x, for x > −1/e: Halley's method from log(1 + x), each step of which triples the digits. */
const solveW = (x: Tensor): Tensor => {
  const halley = (w: Tensor): Tensor => {
    const e = exp(w);
    const residual = sub(mul(w, e), x);
    const slope = mul(e, add(w, 1));
    return sub(w, div(residual, sub(slope, div(mul(residual, add(w, 2)), mul(add(w, 1), 2)))));
  };
  return halley(halley(halley(log1p(x))));
};

/** Lambert's W with its derivative W′ = e⁻ʷ / (1 + W), which is differentiated again for higher ones. */
export const lambertW: (x: Tensor) => Tensor = customJvp(solveW, ([x], [direction]) => {
  const w = lambertW(x);
  return [w, mul(direction, div(exp(neg(w)), add(w, 1)))];
});

/** Squared distances [K] of a point [d] from others [K, d]. */
const distances = (others: Tensor, x: Tensor): Tensor => sum(square(sub(others, x)), { axis: 1 });

/** The same; of many points at once |y|² − 2 x·y + |x|², a product of matrices. */
export const squaredDistances = customBatch(distances, ([others, x], { batched }) => {
  // Where each example has others of its own, there is nothing to be had.
  if (batched[0]) return vmap(distances, { in: batched.map(is => (is ? 0 : null)) })(others, x);
  const squares = (points: Tensor): Tensor => sum(square(points), { axis: 1, keepDims: true });
  return add(sub(squares(x), mul(matmul(x, transpose(others)), 2)), transpose(squares(others)));
});

type Unary = (x: Tensor) => Tensor;

/** f′, element by element. */
const derivative = (f: Unary): Unary => grad((x: Tensor) => sum(f(x)));

/** What a function becomes: its kernels, their arithmetic, the time that they take. */
const costOf = (f: Unary, x: Tensor) => {
  const { steps } = explain(f)(x).report!;
  const total = (what: 'flops' | 'ms'): number => steps.reduce((sum, step) => sum + (step[what] ?? 0), 0);
  return { kernels: steps.length, Mflop: total('flops') / 1e6, ms: total('ms') };
};

const largest = (x: Tensor): number => Number(max(abs(x)).item());

export interface Options {
  /** How many numbers, and the square of how many distances. */
  readonly size?: number;
}

export const main = async ({ size = 2 ** 20 }: Options = {}) => {
  const x = realize(uniform(key(0), [size], { low: 0.1, high: 10 }));
  const w = lambertW(x);
  const error = largest(sub(div(mul(w, exp(w)), x), 1));
  const atZero = [lambertW, derivative(lambertW), derivative(derivative(lambertW))].map(f => f(tensor(0)).item());
  console.log(`W(x) exp(W(x)) is x, up to ${error.toExponential(1)} of it. W, W′ and W″ at 0: ${atZero.join(', ')}.`);
  const slopes = [
    { function: 'W', ...costOf(lambertW, x) },
    { function: 'W′ by its rule', ...costOf(derivative(lambertW), x) },
    { function: 'W′ through the steps', ...costOf(derivative(solveW), x) },
  ];
  printTable(slopes);

  const [others, points] = [key(1), key(2)].map(each => realize(normal(each, [Math.sqrt(size), 64])));
  const ofAll = (f: typeof distances) => (all: Tensor) => vmap(f, { in: [null, 0] })(others!, all);
  const apart = largest(sub(ofAll(squaredDistances)(points!), ofAll(distances)(points!)));
  console.log(
    `\nDistances of ${points!.shape[0]} points from as many, which differ by ${apart.toExponential(1)} at most:`,
  );
  const batches = [
    { batched: 'by its rule', ...costOf(ofAll(squaredDistances), points!) },
    { batched: 'operation by operation', ...costOf(ofAll(distances), points!) },
  ];
  printTable(batches);
  return { error, atZero, slopes, apart, batches };
};

runAsProgram(import.meta, main);
