/** Places in memory for values that live for some steps: offsets chosen before the program runs. */

/** A value's place; `first` and `last` are the steps between which it must be left alone. */
export interface Block {
  readonly bytes: number;
  first: number;
  last: number;
  offset: number;
}

/** Vectors may be written up to 15 bytes beyond the end, and start at multiples of 16. */
const padded = (bytes: number): number => (Math.ceil(bytes / 16) + 1) * 16;

/**
 * Chooses offsets: blocks in the order of their first step, each in the smallest gap that its neighbours in time
 * leave. Returns the bytes needed in all.
 */
export const place = (blocks: readonly Block[], base: number): number => {
  let free: { from: number; to: number }[] = [];
  let end = base;
  const byFirst = [...blocks].sort((a, b) => a.first - b.first);
  const live: Block[] = [];
  const release = (block: Block): void => {
    free.push({ from: block.offset, to: block.offset + padded(block.bytes) });
    free.sort((a, b) => a.from - b.from);
    free = free.reduce<typeof free>((list, gap) => {
      const before = list[list.length - 1];
      if (before !== undefined && before.to === gap.from) before.to = gap.to;
      else list.push({ ...gap });
      return list;
    }, []);
  };
  for (const block of byFirst) {
    for (let i = live.length - 1; i >= 0; i--) if (live[i]!.last < block.first) release(live.splice(i, 1)[0]!);
    const need = padded(block.bytes);
    const gap = free.filter(({ from, to }) => to - from >= need).sort((a, b) => a.to - a.from - (b.to - b.from))[0];
    if (gap === undefined) {
      block.offset = end;
      end += need;
    } else {
      block.offset = gap.from;
      gap.from += need;
      if (gap.from === gap.to) free = free.filter(each => each !== gap);
    }
    live.push(block);
  }
  return end - base;
};
