/** What is to be reached on a real GPU. */
import { limitImpl, ownOnCpu, type Row, rowOf, type Target } from '../row.js';

interface Goal {
  readonly suite: string;
  readonly what: string;
  readonly peer: string;
  /** Our rate over the peer's at least. */
  readonly atLeast: number;
}

const targetOf = (rows: readonly Row[], { suite, what, peer, atLeast }: Goal): Target => {
  const of = rows.filter(row => row.suite === suite);
  const [mine, theirs] = [rowOf(of, what)?.ms, rowOf(of, what, peer)?.ms];
  const goal = `≥ ${atLeast} × ${peer}`;
  if (mine == null || theirs == null) return { suite, what, goal, measured: null, reached: false };
  const ratio = theirs / mine;
  return { suite, what, goal, measured: `${ratio.toPrecision(3)} ×`, reached: ratio >= atLeast };
};

/** Elementwise programs are held to a copy where they are large: small ones take what a launch takes. */
const elementwise = /^(a·a \+ 1|\d+ steps|Adam update).*2\^2[24]$/;

/** Of the rows on WebGPU. On an adapter in software there is nothing to reach. */
export const gpuTargets = (rows: readonly Row[]): readonly Target[] => {
  const casesOf = (suite: string, chosen: (name: string) => boolean): readonly string[] => [
    ...new Set(rows.filter(row => row.suite === suite && chosen(row.case)).map(row => row.case)),
  ];
  const large = casesOf('webgpu gemm', name => Number(name) >= 1024);
  return [
    ...large.flatMap(what => [
      { suite: 'webgpu gemm', what, peer: 'tfjs-webgpu', atLeast: 1 },
      { suite: 'webgpu gemm', what, peer: 'jax-js', atLeast: 0.7 },
    ]),
    ...casesOf('webgpu fused', name => elementwise.test(name)).map(what => ({
      suite: 'webgpu fused',
      what,
      peer: limitImpl,
      atLeast: 0.8,
    })),
    ...casesOf('webgpu sample', name => name.includes('U-Net 64')).map(what => ({
      suite: 'webgpu sample',
      what,
      peer: ownOnCpu,
      atLeast: 3,
    })),
  ].map(goal => targetOf(rows, goal));
};
