/** Runs graphs of contractions and elementwise kernels on a launcher, without the device that is built on it. */
import { contract, readsView, takesEpilogue } from '../../src/tensor/backend/gpu/contraction/index.js';
import { floatsIn, type Pass, type Traits } from '../../src/tensor/backend/gpu/pass.js';
import { kernelPasses } from '../../src/tensor/backend/gpu/passes/kernels.js';
import { Sequence, type Value } from '../../src/tensor/backend/gpu/passes/sequence.js';
import type { Slots } from '../../src/tensor/backend/gpu/passes/slots.js';
import { chain } from '../../src/tensor/compile/chain.js';
import { fuse } from '../../src/tensor/compile/fuse.js';
import { programOfPending } from '../../src/tensor/compile/program.js';
import type { Node } from '../../src/tensor/graph.js';
import type { Storage } from '../../src/tensor/storage.js';
import type { Place } from './contraction-job.js';

export interface Outcome {
  /** Of the roots, in their order. */
  readonly arrays: readonly Float32Array[];
  readonly passes: readonly Pass[];
}

/** Integers of 32 bits are two floats on a device. */
const encoded = (values: ArrayLike<number>, halves: boolean): Float32Array =>
  halves
    ? Float32Array.from({ length: 2 * values.length }, (_, i) =>
        i % 2 === 0 ? values[i >> 1]! & 65535 : values[i >> 1]! >>> 16,
      )
    : Float32Array.from(values);

/** @param traits what else the device is taken for */
export const runOn = async (place: Place, roots: readonly Node[], traits: Partial<Traits> = {}): Promise<Outcome> => {
  const { program, scalars, leaves, stored } = programOfPending(roots);
  const fused = fuse(program, { readsView: (instruction, _, view) => readsView(instruction, view) });
  let next = 0;
  const sequence = new Sequence({ ...place.traits, ...traits }, () => next++);
  const values = new Map<number, Value>();
  const given: (readonly [Value, Float32Array])[] = [];
  leaves.forEach((leaf, slot) => {
    const value = next++;
    values.set(slot, value);
    const data = (leaf.value as Storage).readSync() as unknown as ArrayLike<number>;
    given.push([value, encoded(data, leaf.dtype === 'int32' || leaf.dtype === 'uint32')]);
  });
  const slots: Slots = {
    valueOf: slot => values.get(slot) ?? null,
    floatsOf: slot => floatsIn(fused.avals.get(slot)!),
    scalarOf: slot => {
      const index = program.scalars.findIndex(scalar => scalar.slot === slot);
      return index < 0 ? null : { index, dtype: program.scalars[index]!.dtype };
    },
  };
  const units = chain(fused, {
    behind: (single, kernel) => takesEpilogue(sequence.traits, single, kernel),
    before: () => false,
  });
  for (const unit of units) {
    const made =
      unit.kind === 'kernel'
        ? kernelPasses(sequence, unit.kernel, slots)
        : contract(sequence, unit, unit.epilogue === undefined || !unit.epilogue.alone, slots);
    for (const [slot, value] of made) values.set(slot, value);
  }
  const launches = sequence.launches.map(({ pass, reads, makes }) => ({
    ...{ pass, reads, makes },
    numbers: pass.numbers.map(number => {
      if (number.kind === 'argument') throw new Error('no argument here');
      return number.kind === 'constant' ? number.value : scalars[number.index]!;
    }),
  }));
  const wanted = roots.map(root => values.get(fused.outputs[stored.indexOf(root)]!.base!)!);
  return { arrays: await place.run({ given, launches, wanted }), passes: launches.map(({ pass }) => pass) };
};
