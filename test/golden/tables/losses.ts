/** How the group `ops_nn` calls the losses, and what tells how near vectors are to each other. */
import {
  attention,
  bce,
  bceWithLogits,
  cast,
  cdist,
  cosineSimilarity,
  cross,
  crossEntropy,
  gaussianNll,
  hingeEmbeddingLoss,
  huberLoss,
  klDiv,
  l1Loss,
  mseLoss,
  nllLoss,
  normalize,
  poissonNll,
  smoothL1Loss,
  type Tensor,
  tripletMarginLoss,
} from 'tenfold';
import type { Args, Operation, Operations } from '../operations.js';
import { booleanOf, numberOf, stringOf } from '../read.js';

type AnyLoss = (...args: (Tensor | object)[]) => Tensor;

const options: Readonly<Record<string, readonly [name: string, read: (value: Args[string]) => unknown]>> = {
  reduction: ['reduction', stringOf],
  beta: ['beta', numberOf],
  delta: ['delta', numberOf],
  label_smoothing: ['labelSmoothing', numberOf],
  ignore_index: ['ignoreIndex', numberOf],
  log_target: ['logTarget', booleanOf],
  log_input: ['logInput', booleanOf],
  full: ['full', booleanOf],
  eps: ['epsilon', numberOf],
  margin: ['margin', numberOf],
  p: ['p', numberOf],
  axis: ['axis', numberOf],
  causal: ['causal', booleanOf],
  scale: ['scale', numberOf],
  swap: ['swap', booleanOf],
};

/** PyTorch's arguments under our names; one that nobody knows is an error there. */
const optionsOf = (args: Args): object =>
  Object.fromEntries(
    Object.entries(args).map(([name, value]) => {
      const [ours, read] = options[name] ?? [name, x => x];
      return [ours, read(value)];
    }),
  );

/** A function of these inputs, those not among them being options. */
const of =
  (f: unknown, ...names: readonly string[]): Operation =>
  (inputs, args) => {
    const rest = Object.entries(inputs).filter(([name]) => !names.includes(name));
    const given = rest.map(([name, x]) => [name === 'pos_weight' ? 'posWeight' : name, x]);
    return (f as AnyLoss)(...names.map(name => inputs[name]!), { ...optionsOf(args), ...Object.fromEntries(given) });
  };

export const losses: Operations = {
  mse_loss: of(mseLoss, 'input', 'target'),
  l1_loss: of(l1Loss, 'input', 'target'),
  smooth_l1_loss: of(smoothL1Loss, 'input', 'target'),
  huber_loss: of(huberLoss, 'input', 'target'),
  bce_with_logits: of(bceWithLogits, 'input', 'target'),
  bce: of(bce, 'input', 'target'),
  cross_entropy: of(crossEntropy, 'logits', 'target'),
  nll_loss: of(nllLoss, 'log_probs', 'target'),
  kl_div: of(klDiv, 'input', 'target'),
  gaussian_nll: of(gaussianNll, 'input', 'target', 'var'),
  poisson_nll: of(poissonNll, 'input', 'target'),
  hinge_embedding: of(hingeEmbeddingLoss, 'input', 'target'),
  triplet_margin: of(tripletMarginLoss, 'anchor', 'positive', 'negative'),
  normalize: of(normalize, 'x'),
  cosine_similarity: of(cosineSimilarity, 'a', 'b'),
  attention: ({ mask, ...inputs }, ...others) => {
    if (mask === undefined) return of(attention, 'q', 'k', 'v')(inputs, ...others);
    // A mask of ones and zeros is stored as integers.
    const bools = mask.dtype === 'int32' ? cast(mask, 'bool') : mask;
    return of(attention, 'q', 'k', 'v')({ ...inputs, mask: bools as Tensor }, ...others);
  },
};

/** Those of the group `ops_linalg`. */
export const distances: Operations = {
  cdist: of(cdist, 'a', 'b'),
  cross: of(cross, 'a', 'b'),
};
