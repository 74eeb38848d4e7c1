/** Convolutions of eight images and their gradients, beside a product of matrices. */
import { uniform } from '../inputs.js';
import type { ConvolutionName } from '../library.js';
import { type Case, measure } from '../measure.js';
import { tenfold, tenfoldOnTwo } from '../peers/tenfold.js';
import { productImpl, type Row, rowOf, type Target } from '../row.js';
import { candidates, productLibraries, type Suite } from './suite.js';
import { bestPeerTarget, rateTarget } from './targets.js';

const suite = 'conv';
const batch = 8;

interface Layer {
  /** Channels. */
  readonly input: number;
  readonly output: number;
  /** Rows and columns of the input. */
  readonly size: number;
  readonly kernel: number;
  readonly stride: 1 | 2;
}

/** The smallest one first: what takes too long in it is not tried with the others. */
const layers: readonly Layer[] = [
  { input: 3, output: 32, size: 64, kernel: 3, stride: 1 },
  { input: 64, output: 64, size: 32, kernel: 3, stride: 1 },
  { input: 128, output: 128, size: 16, kernel: 3, stride: 1 },
  { input: 256, output: 256, size: 16, kernel: 1, stride: 1 },
  { input: 64, output: 128, size: 32, kernel: 3, stride: 2 },
];

const parts = [
  { text: 'forward', program: 'conv' },
  { text: 'input gradient', program: 'convInput' },
  { text: 'kernel gradient', program: 'convKernel' },
] as const;

type Part = (typeof parts)[number];

const forward = parts[0];

const nameOf = ({ input, output, size, kernel, stride }: Layer, { text }: Part): string =>
  `${kernel}×${kernel}${stride === 1 ? '' : ` /${stride}`} ${input}→${output} at ${size}×${size}, ${text}`;

const side = 512;
const productFlops = 2 * side ** 3;
const factors = [uniform(0, [side, side]), uniform(1, [side, side])];

/** The product by itself. */
const product: Case = {
  name: `product of ${side}×${side} matrices`,
  kind: 'product',
  flops: productFlops,
  bytes: 3 * 4 * side ** 2,
  runners: candidates({ program: 'matmul', inputs: factors }, [tenfold, tenfoldOnTwo]),
};

/** What a convolution of so many operations is held to: our product, in the same turns, counted as a part of the case. */
export const productBeside = (flops: number): Case['runners'][number] => ({
  impl: productImpl,
  make: async () => {
    await tenfold.enter();
    const { compute: run, dispose: close } = await tenfold.prepare('matmul', factors, true);
    const { threads, enter } = tenfold;
    return { impl: productImpl, threads, enter, run, close, repeats: productFlops / flops, note: product.name };
  },
});

const entry = (layer: Layer, part: Part): Case => {
  const { input, output, size, kernel, stride } = layer;
  const program: ConvolutionName = stride === 1 ? part.program : `${part.program}/2`;
  const images = [batch, input, size, size];
  const weights = [output, input, kernel, kernel];
  const results = [batch, output, size / stride, size / stride];
  // A forward convolution has no use for the cotangent.
  const inputs = [images, weights, results].slice(0, part === forward ? 2 : 3).map((shape, i) => uniform(i, shape));
  const elements = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
  const flops = 2 * elements(results) * input * kernel ** 2;
  return {
    name: nameOf(layer, part),
    kind: part.text,
    flops,
    bytes: 4 * (elements(images) + elements(weights) + elements(results)),
    runners: [...candidates({ program, inputs }, productLibraries), productBeside(flops)],
  };
};

const cases = (): readonly Case[] => [product, ...layers.flatMap(layer => parts.map(part => entry(layer, part)))];

const ofProduct = (rows: readonly Row[], what: string, atLeast: number): Target => {
  const goal = `≥ ${Math.round(100 * atLeast)} % of the product's rate`;
  return rateTarget({ suite, what, goal, atLeast }, rowOf(rows, what), rowOf(rows, what, productImpl));
};

const forwardTargets = (rows: readonly Row[], layer: Layer): readonly Target[] => {
  const name = nameOf(layer, forward);
  const { input, stride, kernel } = layer;
  const rate = input >= 64 && stride === 1 ? 0.9 : 0.7;
  return [...(kernel === 3 ? [ofProduct(rows, name, rate)] : []), bestPeerTarget(suite, rows, name, 1.1)];
};

const gradientTargets = (rows: readonly Row[], layer: Layer): readonly Target[] =>
  Math.min(layer.input, layer.output) < 32
    ? []
    : parts.filter(part => part !== forward).map(part => ofProduct(rows, nameOf(layer, part), 0.75));

export const conv: Suite = {
  about: 'convolutions and their gradients',
  run: (effort, report) => measure(suite, cases(), effort, report),
  targets: rows => layers.flatMap(layer => [...forwardTargets(rows, layer), ...gradientTargets(rows, layer)]),
};
