/** Targets that compare rows. */
import { isPeer, ownImpl, type Row, rowOf, type Target } from '../row.js';

interface Comparison {
  readonly suite: string;
  readonly what: string;
  readonly goal: string;
  /** At least so much of the rate of `other`; below 1 it is told in percent. */
  readonly atLeast: number;
}

/** Whether `own` computes so many operations in a second as it should, compared with `other`. */
export const rateTarget = (
  { suite, what, goal, atLeast }: Comparison,
  own: Row | undefined,
  other: Row | undefined,
): Target => {
  const [mine, theirs] = [own?.gflops, other?.gflops];
  if (mine === undefined || theirs === undefined) return { suite, what, goal, measured: null, reached: false };
  const ratio = mine / theirs;
  const measured = atLeast < 1 ? `${(100 * ratio).toFixed(0)} %` : `${ratio.toFixed(2)} × ${other!.impl}`;
  return { suite, what, goal, measured, reached: ratio >= atLeast };
};

/** The row of the fastest peer on one thread in a case. */
const bestPeerOf = (rows: readonly Row[], name: string): Row | undefined =>
  rows
    .filter(row => row.case === name && isPeer(row.impl) && row.threads === 1 && row.ms !== null)
    .sort((a, b) => a.ms! - b.ms!)[0];

/** Whether this library, on one thread, is so many times as fast as the best peer on one. */
export const bestPeerTarget = (suite: string, rows: readonly Row[], name: string, times: number): Target =>
  rateTarget(
    { suite, what: name, goal: `≥ ${times} × the best peer`, atLeast: times },
    rowOf(rows, name, ownImpl),
    bestPeerOf(rows, name),
  );

/** As {@link bestPeerTarget}, by the time that they take; with `own` this library has more than one thread. */
export const quickerTarget = (
  suite: string,
  rows: readonly Row[],
  name: string,
  times: number,
  own: string = ownImpl,
): Target => {
  const [mine, theirs] = [rowOf(rows, name, own)?.ms, bestPeerOf(rows, name)];
  const what = own === ownImpl ? name : `${name}, ${own}`;
  const told = { suite, what, goal: `≥ ${times} × the best peer` };
  if (mine == null || theirs?.ms == null) return { ...told, measured: null, reached: false };
  const ratio = theirs.ms / mine;
  return { ...told, measured: `${ratio.toFixed(1)} × ${theirs.impl}`, reached: ratio >= times };
};

/** Whether a loop takes little more than `other`, of which it is made. */
export const shareTarget = (
  { suite, what, goal, atMost }: Omit<Comparison, 'atLeast'> & { readonly atMost: number },
  whole: Row | undefined,
  other: Row | undefined,
): Target => {
  if (whole?.ms == null || other?.ms == null) return { suite, what, goal, measured: null, reached: false };
  const share = 1 - other.ms / whole.ms;
  return { suite, what, goal, measured: `${(100 * share).toFixed(1)} %`, reached: share <= atMost };
};
