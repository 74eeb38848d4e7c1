/** Programs large enough for threads, computed until threads have computed them. */
import { add, arange, exp, jit, mul, reshape, setThreads, sin, softmax, sum, type Tensor, threadInfo } from 'tenfold';
import { threads as crew } from '../../src/tensor/backend/wasm/wasm.js';

/** FNV-1a over whole words. */
const checksum = (x: Tensor): number => {
  const { buffer, byteOffset, length } = x.dataSync();
  return new Uint32Array(buffer, byteOffset, length).reduce(
    (hash, word) => Math.imul(hash ^ word, 0x01000193) >>> 0,
    0x811c9dc5,
  );
};

/** The argument of a sine is no angle so large that `Math` is asked, whose last bits differ between engines. */
const program = jit((x: Tensor): Tensor => {
  const waves = add(sin(x), exp(mul(x, -0.01)));
  return add(softmax(reshape(waves, [400, 500])), sum(waves));
});

export interface Shared {
  readonly checksums: readonly number[];
  readonly threads: number;
  readonly ready: number;
  readonly shared: boolean;
  readonly reason: string | null;
}

/** The bits of many runs, all of them the same, and how many threads there were in the end. */
export const share = async (count: number): Promise<Shared> => {
  setThreads(count);
  const x = mul(arange(200_000), 1e-3);
  const checksums = new Set<number>();
  const { threads } = threadInfo();
  const before = crew().pool.runs;
  const runs = (): number => crew().pool.runs - before;
  for (let i = 0; i < 500 && (threads === 1 ? i : runs()) < 5; i++) {
    checksums.add(checksum(program(x)));
    // Workers of a page start when its script lets it.
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  const { ready, reason } = threadInfo();
  setThreads(1);
  return { checksums: [...checksums], threads, ready, shared: runs() > 0, reason };
};
