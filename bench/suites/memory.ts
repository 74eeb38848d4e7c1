/** Memory of training steps: what is planned for the program, against what must be there. */
import { explain, type Tensor, tensor } from 'tenfold';
import type { Input } from '../inputs.js';
import type { ProgramName } from '../library.js';
import { programs } from '../peers/tenfold.js';
import { limitImpl, ownImpl, type Row } from '../row.js';

/**
 * Rows of a step's memory: of inputs, results, and all that is planned for values on the way; and what cannot be done without.
 * That is examples, parameters and moments before the step and after it, and `kept` elements for the way back. Gradients are not
 * counted: an update can follow each at once.
 */
export const memoryRows = (
  name: string,
  program: ProgramName,
  inputs: readonly Input[],
  kept: number,
): readonly Row[] => {
  const { report } = explain((...args: Tensor[]) => programs[program](...args))(
    ...inputs.map(({ values, shape }) => tensor(values, shape) as Tensor),
  );
  const { arena, inputs: given, outputs } = report!.memory;
  const needed = given + outputs + 4 * kept;
  const whole = given + outputs + arena;
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;
  const row = { suite: 'train', case: `memory of a step: ${name}`, ms: null, threads: 1 };
  const parts = `${megabytes(given)} of inputs, ${megabytes(outputs)} of results`;
  return [
    {
      ...row,
      impl: ownImpl,
      bytes: whole,
      note: `${parts}, ${megabytes(arena)} planned: ${(whole / needed).toFixed(2)} ×`,
    },
    { ...row, impl: limitImpl, bytes: needed, note: `${parts}, ${megabytes(4 * kept)} of what gradients are made of` },
  ];
};
