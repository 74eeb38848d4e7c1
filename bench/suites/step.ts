/** Inputs of the programs that are training steps. */
import { type Input, uniform } from '../inputs.js';
import { sequence, type TransformerSizes, transformerParams } from '../networks/transformer.js';
import { type UnetSizes, unetParams } from '../networks/unet.js';

const size = 64;

export interface StepSizes {
  readonly batch: number;
  readonly hidden: number;
  readonly blocks: number;
}

/** What is given with the examples, and what an optimizer knows of parameters. */
const around = (examples: readonly Input[], params: readonly Input[], seed: number): readonly Input[] => [
  ...examples,
  ...params,
  ...params.map(({ shape }, i) => uniform(seed + i, shape, -0.01, 0.01)),
  ...params.map(({ shape }, i) => uniform(seed + params.length + i, shape, 0, 1e-3)),
];

/** Rows of one 1 and zeros. */
const oneOf = (rows: number, kinds: number, stride: number): Input => {
  const values = new Float32Array(rows * kinds);
  for (let i = 0; i < rows; i++) values[i * kinds + ((stride * i) % kinds)] = 1;
  return { values, shape: [rows, kinds] };
};

/** Inputs of `mlpStep`: lengths of the layers, the input's first. Targets are classes. */
export const mlpInputs = (batch: number, lengths: readonly number[]): readonly Input[] => {
  const [size, classes] = [lengths[0]!, lengths.at(-1)!];
  const params = lengths.slice(1).flatMap((outputs, i) => {
    const bound = 1 / Math.sqrt(lengths[i]!);
    return [uniform(2 * i, [lengths[i]!, outputs], -bound, bound), uniform(2 * i + 1, [outputs], -bound, bound)];
  });
  return around([uniform(100, [batch, size], 0, 1), oneOf(batch, classes, 7)], params, 101);
};

/** Inputs of `unetStep`. */
export const unetStepInputs = (unet: UnetSizes): readonly Input[] => {
  const { batch, channels, size: side, embedding } = unet;
  const images = [batch, channels, side, side];
  const params = unetParams(unet, 10);
  return around([uniform(0, images), uniform(1, images), uniform(2, [batch, embedding])], params, 10 + params.length);
};

/** Inputs of `transformerStep`. */
export const transformerInputs = (transformer: TransformerSizes): readonly Input[] => {
  const { batch, tokens } = transformer;
  const count = batch * sequence;
  const params = transformerParams(transformer, 10);
  return around([oneOf(count, tokens, 7), oneOf(count, tokens, 11)], params, 10 + params.length);
};

export const stepInputs = ({ batch, hidden, blocks }: StepSizes): readonly Input[] => {
  let seed = 0;
  const weight = (inputs: number, outputs: number): Input => {
    const bound = 1 / Math.sqrt(inputs);
    return uniform(seed++, [inputs, outputs], -bound, bound);
  };
  const vector = (length: number): Input => uniform(seed++, [length], -0.1, 0.1);
  const block = (): Input[] => [
    uniform(seed++, [hidden], 0.9, 1.1),
    vector(hidden),
    weight(hidden, hidden),
    vector(hidden),
    weight(hidden, hidden),
    vector(hidden),
  ];
  const params = [
    weight(size, hidden),
    vector(hidden),
    ...Array.from({ length: blocks }, block).flat(),
    weight(hidden, size),
    vector(size),
  ];
  return around([uniform(seed++, [batch, size]), uniform(seed++, [batch, size])], params, seed);
};
