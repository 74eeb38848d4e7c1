/** What comes out of a run: rows, ratios, targets. */

export interface Row {
  readonly suite: string;
  readonly case: string;
  readonly impl: string;
  /** Median milliseconds of a run; null where there is none, and then `reason` says why. */
  readonly ms: number | null;
  /** Half the distance between the quartiles, in milliseconds. */
  readonly spread?: number;
  readonly gflops?: number;
  readonly gbps?: number;
  /** In `size`: minified and gzipped; in `train`: memory. */
  readonly bytes?: number;
  readonly threads: number;
  readonly reason?: string;
  /** Something to know about it. */
  readonly note?: string;
}

/** How much longer a peer takes than tenfold, or how much larger it is. */
export interface Ratio {
  readonly suite: string;
  readonly case: string;
  /** This library, on one thread or on two. */
  readonly own: string;
  readonly peer: string;
  readonly ratio: number;
  /** Of all peers in this case with as many threads the one that comes out best. */
  readonly best: boolean;
}

export interface Target {
  readonly suite: string;
  readonly what: string;
  /** In words: what is to be reached. */
  readonly goal: string;
  /** In words: what was measured; null where it was not. */
  readonly measured: string | null;
  readonly reached: boolean;
}

/** This library. */
export const ownImpl = 'tenfold';
export const ownOnTwo = 'tenfold 2 threads';

/** This library on the CPU, beside itself on a GPU. */
export const ownOnCpu = 'tenfold on the CPU';

/** The implementations that are no libraries: what the machine can do at all. */
export const limitImpl = 'limit';
export const limitOnTwo = 'limit 2 threads';

/** This library with a product of matrices, beside a convolution. */
export const productImpl = 'product';

/** This library with nothing but the calls of a model, beside a sampler. */
export const modelImpl = 'model only';

/** This library with its steps called one by one, beside a program that is a loop. */
export const stepwiseImpl = 'step by step';

const noPeers: readonly string[] = [
  ownImpl,
  ownOnTwo,
  ownOnCpu,
  limitImpl,
  limitOnTwo,
  productImpl,
  modelImpl,
  stepwiseImpl,
];

export const isPeer = (impl: string): boolean => !noPeers.includes(impl);

const isOwn = (impl: string): boolean => impl === ownImpl || impl === ownOnTwo;

/** What a row is about: time, or size. */
const amountOf = ({ ms, bytes }: Row): number | null => ms ?? bytes ?? null;

/** Every peer against tenfold. */
export const ratiosOf = (rows: readonly Row[]): readonly Ratio[] =>
  rows
    .filter(({ impl }) => isOwn(impl))
    .flatMap(own => {
      const ownAmount = amountOf(own);
      if (ownAmount === null) return [];
      const peers = rows.flatMap(row => {
        const amount = amountOf(row);
        const same = row.suite === own.suite && row.case === own.case && !isOwn(row.impl);
        const rival = isPeer(row.impl) && row.threads === own.threads;
        return same && amount !== null ? [{ peer: row.impl, ratio: amount / ownAmount, rival }] : [];
      });
      const best = Math.min(...peers.filter(({ rival }) => rival).map(({ ratio }) => ratio));
      return peers.map(({ peer, ratio, rival }) => ({
        suite: own.suite,
        case: own.case,
        own: own.impl,
        peer,
        ratio,
        best: rival && ratio === best,
      }));
    });

/** The row of an implementation in a case, if it has a time or a size. */
export const rowOf = (rows: readonly Row[], name: string, impl: string = ownImpl): Row | undefined =>
  rows.find(row => row.case === name && row.impl === impl && amountOf(row) !== null);
