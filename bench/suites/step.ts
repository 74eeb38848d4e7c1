/** Inputs of the programs `trainStep` and `mlpStep`. */
import { type Input, uniform } from '../inputs.js';

const size = 64;

export interface StepSizes {
  readonly batch: number;
  readonly hidden: number;
  readonly blocks: number;
}

/** Inputs, targets, and what an optimizer knows of parameters. */
const around = (x: Input, y: Input, params: readonly Input[], seed: number): readonly Input[] => [
  x,
  y,
  ...params,
  ...params.map(({ shape }, i) => uniform(seed + i, shape, -0.01, 0.01)),
  ...params.map(({ shape }, i) => uniform(seed + params.length + i, shape, 0, 1e-3)),
];

/** Inputs of `mlpStep`: lengths of the layers, the input's first. Targets are classes, as rows of one 1 and zeros. */
export const mlpInputs = (batch: number, lengths: readonly number[]): readonly Input[] => {
  const [size, classes] = [lengths[0]!, lengths.at(-1)!];
  const params = lengths.slice(1).flatMap((outputs, i) => {
    const bound = 1 / Math.sqrt(lengths[i]!);
    return [uniform(2 * i, [lengths[i]!, outputs], -bound, bound), uniform(2 * i + 1, [outputs], -bound, bound)];
  });
  const y = new Float32Array(batch * classes);
  for (let i = 0; i < batch; i++) y[i * classes + ((7 * i) % classes)] = 1;
  return around(uniform(100, [batch, size], 0, 1), { values: y, shape: [batch, classes] }, params, 101);
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
  return around(uniform(seed++, [batch, size]), uniform(seed++, [batch, size]), params, seed);
};
