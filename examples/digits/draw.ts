/** Drawing digits with a trained network. */
import { concat, fullLike, reshape, slice, type Tensor, tensor } from 'tenfold';
import {
  classifierFreeGuidance,
  clipDenoised,
  type Denoiser,
  denoiser,
  type Sampler,
  sample,
  sampleChunks,
  trajectory,
  withInputs,
} from 'tenfold/diffusion';
import type { Key } from 'tenfold/random';
import { side } from './data.js';
import { networkOf, noClass, type Params, prediction } from './model.js';
import type { NetworkName } from './options.js';
import type { NamedSampler } from './samplers.js';

/** How digits are drawn. */
export interface Drawing {
  readonly network: NetworkName;
  readonly params: Params;
  readonly sampler: NamedSampler;
  readonly steps: number;
  /** w of classifier-free guidance; 1 is none. */
  readonly guidance: number;
  /** The only digit to draw; undefined for all ten, one after the other. */
  readonly only: number | undefined;
  readonly key: Key;
}

/** At most so many are in one batch. */
const largestChunk = 400;

/** Which digit each drawing is to show: column by column, where ten stand in a row. */
export const digitsAsked = (from: number, to: number, only: number | undefined): readonly number[] =>
  Array.from({ length: to - from }, (_, i) => only ?? (from + i) % 10);

const labelsOf = (digits: readonly number[]): Tensor => tensor([...digits], { dtype: 'int32' });

/** The network, guided, its predictions kept to what ink and paper can be. */
const denoiserOf = ({ network, params, guidance }: Drawing): Denoiser<Tensor> => {
  const { apply } = networkOf(network);
  const conditional = denoiser<Tensor>((x, time, y) => apply(params, x, time, { y }), { prediction });
  const unconditional = withInputs<Tensor>(y => fullLike(y, noClass) as Tensor)(conditional);
  const guided =
    guidance === 1 ? conditional : classifierFreeGuidance(unconditional, { weight: guidance })(conditional);
  return clipDenoised<Tensor>()(guided);
};

/** A sampler that stays where it is: what it ends with is the noise that runs start from. */
const staying: Sampler = Object.freeze({
  init: (x: Tensor) => ({ x, x0: x }),
  step: (state: { x: Tensor; x0: Tensor }) => state,
});

/** The first so many digits: the noise, and the samples after each step, [count, 1, 8, 8]. */
export const drawSteps = async (drawing: Drawing, count: number): Promise<readonly Tensor[]> => {
  const { sampler, steps, only, key } = drawing;
  const guided = denoiserOf(drawing);
  const levels = sampler.levels(steps);
  const start: readonly number[] = [count, 1, side, side];
  const options = { key, inputs: labelsOf(digitsAsked(0, count, only)) };
  const frames: Tensor[] = [sample(staying, guided, levels, start, options)];
  for await (const { x } of trajectory(sampler.sampler, guided, levels, start, options)) frames.push(x);
  return frames;
};

/** The digits from one number to another, [to − from, 1, 8, 8]: each is the same, whatever is drawn with it. */
const drawMore = (drawing: Drawing, from: number, to: number): Tensor => {
  const { sampler, steps, only, key } = drawing;
  const chunk = Math.ceil((to - from) / Math.ceil((to - from) / largestChunk));
  return sampleChunks(
    sampler.sampler,
    denoiserOf(drawing),
    sampler.levels(steps),
    [to - from, 1, side, side] as const,
    {
      key,
      firstSample: from,
      inputs: labelsOf(digitsAsked(from, to, only)),
      chunk,
    },
  );
};

/** The first so many digits, of which some are drawn already. */
export const firstOf = (drawing: Drawing, drawn: Tensor, count: number): Tensor => {
  const known = drawn.shape[0]!;
  if (count <= known) return slice(drawn, [0], [count]) as Tensor;
  return reshape(concat([drawn, drawMore(drawing, known, count)]), [count, 1, side, side]) as Tensor;
};
