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
 * Chooses offsets: the largest block first, each in the smallest gap between those that live at the same time and have
 * their places. Returns the bytes needed in all.
 *
 * Source: Pisarchyk & Lee 2020, arXiv:2001.03288, section 5.2 (greedy by size).
 */
export const place = (blocks: readonly Block[], base: number): number => {
  const placed: Block[] = [];
  let end = base;
  for (const block of [...blocks].sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    const need = padded(block.bytes);
    let [at, smallest] = [-1, Number.POSITIVE_INFINITY];
    let free = base;
    for (const { first, last, offset, bytes } of placed) {
      if (last < block.first || first > block.last) continue;
      const gap = offset - free;
      if (gap >= need && gap < smallest) [at, smallest] = [free, gap];
      free = Math.max(free, offset + padded(bytes));
    }
    block.offset = at < 0 ? free : at;
    end = Math.max(end, block.offset + need);
    let index = placed.length;
    while (index > 0 && placed[index - 1]!.offset > block.offset) index--;
    placed.splice(index, 0, block);
  }
  return end - base;
};
