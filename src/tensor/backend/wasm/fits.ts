/** Refusing programs that are too large to run, before anything is done for them. */
import { depthOf, type Kernel, lengthsOf } from '../../compile/kernel.js';
import type { Instruction, Program } from '../../compile/program.js';
import { bytesOf } from '../../dtype.js';
import { DeviceError } from '../../errors.js';
import { type Aval, bytesIn, showAval, sizeOf } from '../../shape.js';
import type { Storage } from '../../storage.js';
import { padded } from './allocator.js';
import { allSteps } from './report.js';
import { capacity, tooLarge } from './residency.js';
import type { Plan, Step } from './steps.js';

/** A value that a step writes to memory. */
interface Written {
  readonly aval: Aval;
  readonly op: string;
}

const storesOf = ({ space, values, stores }: Kernel): readonly Written[] =>
  stores.map(store => {
    const value = values[store.value]!;
    const op = value.kind === 'operation' || value.kind === 'reduce' ? value.op : 'broadcast';
    return { aval: { shape: lengthsOf(space, value.level), dtype: value.dtype }, op };
  });

const writtenBy = (step: Step): readonly Written[] => {
  switch (step.kind) {
    case 'kernel':
      return storesOf(step.kernel);
    case 'contraction': {
      const { instruction, epilogue } = step;
      return [{ aval: instruction.aval, op: instruction.op }, ...(epilogue === null ? [] : storesOf(epilogue.kernel))];
    }
    case 'region': {
      const { op, outputs } = step.instruction;
      return outputs!.map(aval => ({ aval, op }));
    }
    case 'copy':
    case 'preparation':
      return [];
    default:
      return [{ aval: step.instruction.aval, op: step.instruction.op }];
  }
};

const instructionsIn = ({ instructions }: Program): readonly Instruction[] =>
  instructions.flatMap(instruction => [instruction, ...instruction.bodies.flatMap(instructionsIn)]);

/** What needs so much: kernels join neighbouring axes, so the shape is looked up in the program. */
const largest = (program: Program, plan: Plan): string => {
  const first = allSteps(plan).flatMap(writtenBy);
  if (first.length === 0) return '';
  const { aval, op } = first.reduce((most, each) => (bytesIn(each.aval) > bytesIn(most.aval) ? each : most));
  const alike = instructionsIn(program).filter(
    instruction => instruction.aval.dtype === aval.dtype && sizeOf(instruction.aval.shape) === sizeOf(aval.shape),
  );
  const made = alike.find(instruction => instruction.op === op) ?? alike[0];
  return ` (the largest value: ${showAval(made?.aval ?? aval)}, ${bytesIn(aval)} bytes, made by ${made?.op ?? op})`;
};

/** A program in words, for errors about its size. */
export const describe = (program: Program, plan: Plan): string =>
  `a program of ${plan.steps.length} ${plan.steps.length === 1 ? 'step' : 'steps'}${largest(program, plan)}`;

/** The longest reduction of a plan. */
const deepest = (plan: Plan): number =>
  allSteps(plan).reduce(
    (most, step) => (step.kind === 'kernel' ? Math.max(most, depthOf(step.kernel.space)) : most),
    0,
  );

/**
 * Checks a plan by itself, and gives what is left to check when its inputs are known: their values may be the same.
 *
 * @throws MemoryError when what it writes does not fit into the address space together
 * @throws DeviceError when it reduces more elements to one than 32 bits count
 */
export const checkFits = (program: Program, plan: Plan): ((given: readonly Storage[]) => void) | null => {
  const sum = (list: readonly Aval[]): number => list.reduce((total, aval) => total + padded(bytesIn(aval)), 0);
  const tables = 4 * (plan.inputs.length + plan.made.length);
  const own = padded(plan.bytes + tables) + sum(plan.made);
  if (own > capacity) throw tooLarge(own, describe(program, plan), 0);
  const depth = deepest(plan);
  if (depth >= 2 ** 32) {
    throw new DeviceError({
      operation: 'wasm backend',
      given: `a reduction of ${depth} elements to one`,
      rule: 'it counts them in 32 bits, that is up to 4294967295',
      hint: 'Reduce in parts, for example one axis after the other.',
    });
  }
  if (own + sum(plan.inputs) <= capacity) return null;
  return given => {
    let total = own;
    for (const { dtype, size } of new Set(given)) total += padded(size * bytesOf[dtype]);
    if (total > capacity) throw tooLarge(total, describe(program, plan), 0);
  };
};
