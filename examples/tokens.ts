/**
 * Masked text diffusion (Sahoo et al. 2024, arXiv:2406.07524) on a tiny language: words are masked one by one until nothing is
 * left, and a transformer learns to say what the masks hide. It writes from nothing but masks, in any order, and fills in
 * what is missing in the middle of a sentence: that is sampling which starts from the sentence with its masks.
 *
 * A sentence is right when determiner, noun and verb agree in number: "this cat sleeps …", "these cats sleep …". The model is
 * trained on three fifths of all sentences and is told no rule.
 */
import { add, fold, mean, mul, realize, type Tensor, take, tensor, valueAndGrad } from 'tenfold';
import { ancestralStates, maskedDiffusion, maskedLosses, sampleDiscrete } from 'tenfold/diffusion';
import { embedding, type Layer, linear, sequential, transformerEncoderLayer } from 'tenfold/nn';
import { type AdamMemory, adamw, applyUpdates, type OptimizerState, warmupCosine } from 'tenfold/optim';
import { foldIn, key, normal, randint, split, uniform } from 'tenfold/random';
import { runAsProgram } from './common/program.js';

const singular = [
  ['a', 'the', 'this'],
  ['cat', 'dog', 'bird', 'child'],
  ['sleeps', 'sings', 'hides', 'waits'],
];
const plural = [
  ['two', 'the', 'these'],
  ['cats', 'dogs', 'birds', 'children'],
  ['sleep', 'sing', 'hide', 'wait'],
];
const anywhere = [
  ['on', 'under', 'near'],
  ['a', 'the'],
  ['mat', 'tree', 'house', 'bridge'],
];

/** All sentences that take a word of each list. */
const sentencesOf = (lists: readonly (readonly string[])[]): readonly string[] =>
  lists.reduce<string[]>((some, list) => some.flatMap(start => list.map(word => `${start} ${word}`.trim())), ['']);

const language = [singular, plural].flatMap(lists => sentencesOf([...lists, ...anywhere]));
const vocabulary = [...new Set(language.flatMap(sentence => sentence.split(' ')))];
const diffusion = maskedDiffusion({ states: vocabulary.length + 1 });
const words = 6;

type States = Tensor<readonly number[], 'int32'>;

/** Words as numbers, int32 [N, 6]; what is not in the vocabulary is a mask. */
const encode = (sentences: readonly string[]): States => {
  const numberOf = (word: string): number => (vocabulary.includes(word) ? vocabulary.indexOf(word) : diffusion.mask);
  return tensor(
    sentences.map(sentence => sentence.split(' ').map(numberOf)),
    { dtype: 'int32' },
  );
};

const decode = (states: Tensor): readonly string[] =>
  (states.toArray() as number[][]).map(row => row.map(state => vocabulary[state] ?? '_').join(' '));

const size = 48;
/** A vector for each place of a sentence, added to those of the words. */
const places: Layer<Tensor> = {
  init: from => mul(normal(from, [words, size]), 0.1),
  apply: (params, x) => add(x, params),
};
const block = transformerEncoderLayer(size, 4, { feedForward: 2 * size, activation: 'gelu', normFirst: true });
const network = sequential(embedding(diffusion.states, size), places, block, block, linear(size, diffusion.states));
type Params = ReturnType<typeof network.init>;
// The time is seen by the number of masks.
const modelOf = (params: Params) => (states: Tensor) => network.apply(params, states);

interface Training {
  readonly params: Params;
  readonly memory: OptimizerState<AdamMemory>;
  readonly loss: Tensor;
}

/** Trains on sentences [N, 6], 64 at a time, as one fold. */
const train = (data: Tensor, steps: number): Training => {
  const optimizer = adamw(warmupCosine({ peak: 3e-3, warmup: 50, steps }));
  const first = network.init(key(0));
  const step = ({ params, memory }: Training, index: Tensor): Training => {
    const [forBatch, forTimes, forMasks] = split(foldIn(key(1), index), 3);
    const batch = take(data, randint(forBatch!, [64], 0, data.shape[0]!), { axis: 0 });
    const times = uniform(forTimes!, [64], { low: 0.01 });
    const lossOf = (p: Params): Tensor =>
      mean(maskedLosses(diffusion, modelOf(p), batch, times, { key: forMasks! }).loss);
    const [loss, gradient] = valueAndGrad(lossOf)(params);
    const [updates, next] = optimizer.update(gradient, memory, params);
    return { params: applyUpdates(params, updates), memory: next, loss };
  };
  return realize(fold(step)({ params: first, memory: optimizer.init(first), loss: tensor(0) }, steps));
};

export interface Options {
  readonly trainingSteps?: number;
  readonly samples?: number;
}

export const main = async ({ trainingSteps = 1500, samples = 200 }: Options = {}) => {
  const seen = language.filter((_, i) => i % 5 < 3);
  const { params, loss } = train(encode(seen), trainingSteps);
  console.log(
    `${seen.length} of ${language.length} sentences are learned from. The last loss is ${Number(loss.item()).toFixed(2)} bits a word.`,
  );

  const draw = (start: States | readonly number[], seed: number): readonly string[] =>
    decode(sampleDiscrete(ancestralStates(), diffusion, modelOf(params), start, { key: key(seed), steps: 24 }));
  const written = draw([samples, words], 2);
  const right = written.filter(sentence => language.includes(sentence));
  const [share, shareNew] = [right, right.filter(sentence => !seen.includes(sentence))].map(l => l.length / samples);
  console.log(
    `Of ${samples} sentences written ${100 * share!} % are right, ${100 * shareNew!} % right and never seen:`,
  );
  console.log(`  ${written.slice(0, 5).join('\n  ')}`);

  const gaps = ['two _ _ near the tree', 'this _ sings _ _ _', '_ birds _ on a _', '_ _ hides under the _'];
  const filled = draw(encode(gaps), 3);
  console.log(`Gaps, filled in:\n  ${gaps.map((gap, i) => `${gap}  →  ${filled[i]}`).join('\n  ')}`);
  return { loss: Number(loss.item()), share: share!, shareNew: shareNew!, gaps, filled, language };
};

runAsProgram(import.meta, main);
