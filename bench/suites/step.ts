/** Inputs of the program `trainStep`. */
import { type Input, uniform } from '../inputs.js';

const size = 64;

export interface StepSizes {
  readonly batch: number;
  readonly hidden: number;
  readonly blocks: number;
}

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
  return [
    uniform(seed++, [batch, size]),
    uniform(seed++, [batch, size]),
    ...params,
    ...params.map(({ shape }) => uniform(seed++, shape, -0.01, 0.01)),
    ...params.map(({ shape }) => uniform(seed++, shape, 0, 1e-3)),
  ];
};
