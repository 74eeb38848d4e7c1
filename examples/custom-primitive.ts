/**
 * Operations of one's own: with a derivative, with a batching rule, with a kernel.
 *
 * A function of operations needs nothing to be differentiated, batched and compiled: its elementwise parts are fused to one
 * kernel, and `explain` shows which. What may be known better than it follows from the parts are the rules:
 *
 * - `customJvp` (or `customVjp`, for reverse mode alone) gives a function the derivative that mathematics has for it. Here
 *   that is Lambert's W, solved for in several steps: its derivative needs none of them.
 * - `customBatch` gives it the form in which many examples are best computed together. Here those are distances of a point
 *   from many others: of many points they are a product of matrices.
 *
 * What no operations say well has a kernel of its own: `customOp` makes an operation of a function of typed arrays. Here that is
 * Floyd and Steinberg's error diffusion (1976), in which every pixel waits for the error of the one before it.
 *
 * A kernel in vectors, or one for GPUs, is added inside the library: a line in `src/tensor/primitives/signatures.ts` and an
 * entry in the table beside it, which for an elementwise one is its meaning for a number and its partial derivatives;
 * `docs/architecture.md` has the other kinds. TypeScript then asks for the rest.
 */
import {
  abs,
  add,
  arange,
  customBatch,
  customJvp,
  customOp,
  div,
  exp,
  explain,
  fold,
  grad,
  log1p,
  matmul,
  max,
  mean,
  mul,
  neg,
  realize,
  reshape,
  round,
  sin,
  square,
  sub,
  sum,
  type Tensor,
  type TensorSpec,
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

/**
 * An image [height, width] of greys from 0 to 1 in black and white: each pixel is rounded, and what that leaves goes to the
 * neighbours that are yet to come. It is constant almost everywhere, so that its derivative says nothing; as that of the
 * identity, which it is on average, it can be learnt through (the straight-through estimator of Bengio et al., 2013).
 */
export const dither: (image: Tensor) => Tensor = customOp({
  name: 'floydSteinberg',
  result: (image: TensorSpec) => image,
  kernel: ([image], [out], { inputs: [{ shape }] }) => {
    const [height, width] = shape as readonly [number, number];
    // A line more below, and a pixel more at both sides, for what falls over the edge.
    const stride = width + 2;
    const errors = new Float64Array(stride * (height + 1));
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [at, here] = [y * width + x, y * stride + x + 1];
        const wanted = image[at]! + errors[here]!;
        out[at] = wanted < 0.5 ? 0 : 1;
        const left = wanted - out[at]!;
        errors[here + 1]! += (left * 7) / 16;
        errors[here + stride - 1]! += (left * 3) / 16;
        errors[here + stride]! += (left * 5) / 16;
        errors[here + stride + 1]! += left / 16;
      }
    }
  },
  jvp: ([image], [direction]) => [dither(image), direction],
});

/** What one sees from afar: means of 8 × 8 pixels. */
const tones = (image: Tensor): Tensor => {
  const [height, width] = image.shape as readonly [number, number];
  return mean(reshape(image, [height / 8, 8, width / 8, 8]), { axis: [1, 3] });
};

/** On paper on which ink runs: where a part t stays white, t² of the light comes back. */
const printed = (image: Tensor): Tensor => square(tones(dither(image)));

/** What to print in the place of an image so that it looks like it, by descent through the dithering. */
const prepared = (wanted: Tensor): Tensor => {
  const loss = (image: Tensor) => sum(square(sub(printed(image), tones(wanted))));
  return fold((image: Tensor) => sub(image, mul(grad(loss)(image), 12)))(wanted, 20);
};

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

  const side = 8 * Math.ceil(Math.sqrt(size) / 8);
  const waves = sin(mul(arange(side), 20 / side));
  const image = realize(add(mul(reshape(waves, [side, 1]), mul(waves, 0.45)), 0.5));
  const off = (seen: Tensor): number => Number(mean(abs(sub(seen, tones(image)))).item());
  console.log(`\nAn image of ${side} × ${side} pixels in black and white, and how far its tones are off:`);
  const shown = [
    { pixels: 'rounded', off: off(tones(round(image))) },
    { pixels: 'dithered', off: off(tones(dither(image))) },
    { pixels: 'printed where ink runs', off: off(printed(image)) },
    { pixels: 'prepared for that by gradients', off: off(printed(prepared(image))) },
  ];
  printTable(shown);
  const steps = explain(printed)(image).report!.steps.map(({ name }) => name);
  console.log(`The steps that explain lists: ${steps.join(', ')}.`);
  return { error, atZero, slopes, apart, batches, shown, steps };
};

runAsProgram(import.meta, main);
