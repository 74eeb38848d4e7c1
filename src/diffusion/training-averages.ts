/** Moving averages of parameters while these are trained: one, or several by name. */
import { updateEmaFor } from '../optim/ema.js';
import type { Schedule } from '../optim/transform.js';
import { ArgumentError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkArgument } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** Averages of the parameters: one decay, or several by name. */
export type EmaDecays = Schedule | Readonly<Record<string, Schedule>>;

/** One average for one decay, and for several a record of them. */
export type Averages<P, M> = M extends Schedule ? P : { readonly [Name in keyof M]: P };

const isSchedule = (decay: unknown): decay is Schedule => typeof decay !== 'object' || decay === null;

/**
 * Refuses what are no decays.
 *
 * @throws ArgumentError
 */
export const checkDecays = (decays: EmaDecays): void => {
  const each: readonly (readonly [string, unknown])[] = isSchedule(decays)
    ? [['ema', decays]]
    : Object.entries(decays).map(([name, decay]) => [`ema.${name}`, decay]);
  checkArgument(
    each.length > 0 && !Array.isArray(decays) && !isTensor(decays),
    'trainer',
    `${kindOf(decays)} as ema`,
    'ema is a decay, or several by name',
    'Write 0.999, emaWarmup(0.999), or { short: 0.99, long: 0.9999 }.',
  );
  for (const [name, decay] of each) if (typeof decay !== 'function') checkNumber('trainer', name, decay);
};

/** The averages before the first step: the parameters themselves. */
export const firstAverages = <P, M extends EmaDecays>(decays: M, params: P): Averages<P, M> => {
  const each = isSchedule(decays) ? params : Object.fromEntries(Object.keys(decays).map(name => [name, params]));
  return each as Averages<P, M>;
};

/** The averages after a step. */
export const averaged = <P, M extends EmaDecays>(
  decays: M,
  averages: Averages<P, M>,
  params: P,
  stepsDone: Tensor,
): Averages<P, M> => {
  const after = (average: P, decay: Schedule): P =>
    updateEmaFor('trainer step', average, params, typeof decay === 'number' ? decay : decay(stepsDone));
  if (isSchedule(decays)) return after(averages as P, decays) as Averages<P, M>;
  const each = Object.entries(decays).map(([name, decay]) => [
    name,
    after((averages as Readonly<Record<string, P>>)[name]!, decay as Schedule),
  ]);
  return Object.fromEntries(each) as Averages<P, M>;
};

/**
 * The average of a name; the only one has none.
 *
 * @throws ArgumentError where there is no such average
 */
export const averageNamed = <P, M extends EmaDecays>(decays: M, averages: Averages<P, M>, name?: string): P => {
  const names = isSchedule(decays) ? [] : Object.keys(decays);
  if (isSchedule(decays) && name === undefined) return averages as P;
  if (names.includes(name as string)) return (averages as Readonly<Record<string, P>>)[name as string]!;
  throw new ArgumentError({
    operation: 'trainer step',
    given: typeof name === 'string' ? `the average '${name}'` : `an average by ${kindOf(name)}`,
    rule: isSchedule(decays) ? 'the one average there is has no name' : `the averages are ${names.join(', ')}`,
    hint: isSchedule(decays)
      ? 'Leave the name out, or give the trainer ema: { name: decay, … }.'
      : 'Take one of them, or give the trainer ema a decay by this name.',
  });
};
