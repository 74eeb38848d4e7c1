/** Draws of states: those of a sample from a key of its own, so that they are the same in whatever batch it is. */
import { categorical } from '../../random/draw.js';
import { foldIn, type Key } from '../../random/key.js';
import { arange } from '../../tensor/ops/creation/creation.js';
import { add } from '../../tensor/ops/elementwise/arithmetic.js';
import type { Tensor } from '../../tensor/tensor.js';
import { vmap } from '../../tensor/transform/vmap.js';

/** What is drawn for samples by their keys, stacked. */
export const perSample = (keys: Tensor, draw: (key: Key) => Tensor): Tensor =>
  vmap((key: Tensor): Tensor => draw(key as Key))(keys) as Tensor;

/** The keys of samples at a place, a scalar or one a sample: `foldIn(foldIn(key, i), place)`, uint32 [N, 2]. */
export const sampleKeys = (key: Key, count: number, firstSample: number, place?: Tensor): Tensor => {
  const numbers = add(arange(count, { dtype: 'int32' }), firstSample) as Tensor;
  if (place === undefined) return vmap((i: Tensor): Tensor => foldIn(key, i))(numbers) as Tensor;
  if (place.shape.length === 0) return vmap((i: Tensor): Tensor => foldIn(foldIn(key, i), place))(numbers) as Tensor;
  return vmap((i: Tensor, at: Tensor): Tensor => foldIn(foldIn(key, i), at))(numbers, place) as Tensor;
};

/** States by their log-probabilities: [N, P] from [N, P, K]. */
export const drawStates = (keys: Tensor, logProbs: Tensor): Tensor =>
  vmap((key: Tensor, scores: Tensor): Tensor => categorical(key as Key, scores))(keys, logProbs) as Tensor;
