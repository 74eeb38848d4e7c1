/**
 * Ten steps of training and a sample, with nothing but the library: the same code runs in Node and in a page. Its kernels
 * compute elementary functions themselves; the few numbers that come from `Math` or `**` (schedules, frequencies), whose
 * last bit depends on the version of the engine, are rounded from float64 to float32 before they meet a tensor.
 */
import { mul, type Tensor, tensor } from 'tenfold';
import { cosineBetas, ddimSampleLoop, gaussianDiffusion, respace, spaceTimesteps, trainer } from 'tenfold/diffusion';
import { residualMlp } from 'tenfold/nn';
import { adam } from 'tenfold/optim';
import { foldIn, key, normal } from 'tenfold/random';
import { leaves } from 'tenfold/tree';

const diffusion = gaussianDiffusion(cosineBetas(100));
// Sizes that are no multiples of the kernels' blocks: their edges run as well.
const model = residualMlp({ size: 6, hidden: 33, blocks: 2, embedding: 16 });
const { init, step } = trainer({ diffusion, model, optimizer: adam(3e-3) });
const spread = tensor([1, 0.5, 0.25, 2, 1, 0.1]);

/** Bits of float32 numbers and of others of that width, as unsigned integers: exact, and JSON has them all. */
const bitsOf = (x: Tensor): readonly number[] => {
  const { buffer, byteOffset, length } = x.dataSync();
  return [...new Uint32Array(buffer, byteOffset, length)];
};

/** FNV-1a over whole words. */
const checksum = (words: readonly number[]): number =>
  words.reduce((hash, word) => Math.imul(hash ^ word, 0x01000193) >>> 0, 0x811c9dc5);

export interface Trained {
  readonly losses: readonly number[];
  /** Of each tensor of the last state: parameters, their average, the optimizer's moments, the key, the step. */
  readonly state: readonly number[];
  readonly samples: { readonly bits: readonly number[]; readonly checksum: number };
}

export const train = (): Trained => {
  let state = init(key(1));
  const losses: number[] = [];
  for (let i = 0; i < 10; i++) {
    const [next, { loss }] = step(state, mul(normal(foldIn(key(2), i), [17, 6]), spread));
    state = next;
    losses.push(loss.item());
  }
  const few = respace(diffusion, spaceTimesteps(100, '10'));
  const predict = (x: Tensor, t: Tensor): Tensor => model.apply(state.ema, x, t);
  const bits = bitsOf(ddimSampleLoop(few, predict, [5, 6], { key: key(3), eta: 1 }));
  return {
    losses,
    state: leaves(state).map(leaf => checksum(bitsOf(leaf as Tensor))),
    samples: { bits, checksum: checksum(bits) },
  };
};
