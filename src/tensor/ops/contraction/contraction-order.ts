/**
 * In which order to multiply several tensors. Exactly, by dynamic programming over sets of operands, for few of them, and
 * greedily for many (D. G. A. Smith and J. Gray, opt_einsum, Journal of Open Source Software 3(26):753, 2018,
 * doi:10.21105/joss.00753; R. N. C. Pfeifer, J. Haegeman and F. Verstraete, Physical Review E 90:033315, 2014,
 * arXiv:1304.6112).
 */
import { range } from '../../shape.js';

/** The position of an operand, or a product of two. */
export type Order = number | readonly [Order, Order];

type Terms = readonly (readonly string[])[];

/** With n operands there are 3ⁿ pairs of disjoint sets to look at. */
const mostExactly = 8;

/** The order with the least multiplications, as far as there are few operands. */
export const contractionOrder = (
  terms: Terms,
  output: readonly string[],
  lengths: ReadonlyMap<string, number>,
): Order => (terms.length <= mostExactly ? optimal : greedy)(terms, output, lengths);

/** The best order of every set of operands from the best ones of its parts; a set is a number of bits. */
const optimal: typeof contractionOrder = (terms, output, lengths) => {
  const all = 2 ** terms.length - 1;
  const labels = [...lengths].map(([label, length]) => ({
    length,
    within: terms.reduce((set, term, i) => (term.includes(label) ? set | (1 << i) : set), 0),
    stays: output.includes(label),
  }));
  /** For every set the labels that its product has, as those needed outside of it. */
  const left = range(all + 1).map(set =>
    labels.map(({ within, stays }) => (within & set) !== 0 && (stays || (within & ~set) !== 0)),
  );
  const costs = new Array<number>(all + 1).fill(0);
  const orders = new Array<Order>(all + 1).fill(0);
  for (let set = 1; set <= all; set++) {
    orders[set] = 31 - Math.clz32(set);
    if ((set & (set - 1)) === 0) continue;
    costs[set] = Number.POSITIVE_INFINITY;
    for (let part = (set - 1) & set; part > (set ^ part); part = (part - 1) & set) {
      const rest = set ^ part;
      let cost = 1;
      for (let i = 0; i < labels.length; i++) if (left[part]![i] || left[rest]![i]) cost *= labels[i]!.length;
      cost += costs[part]! + costs[rest]!;
      if (cost >= costs[set]!) continue;
      costs[set] = cost;
      orders[set] = [orders[rest]!, orders[part]!];
    }
  }
  return orders[all]!;
};

/** Again and again the pair whose product saves most memory, pairs with an axis in common first. */
const greedy: typeof contractionOrder = (terms, output, lengths) => {
  const size = (labels: readonly string[]): number => labels.reduce((n, label) => n * lengths.get(label)!, 1);
  let parts = terms.map((labels, i) => ({ order: i as Order, labels, size: size(labels) }));
  while (parts.length > 1) {
    const held = new Map<string, number>(output.map(label => [label, 1]));
    for (const { labels } of parts) for (const label of labels) held.set(label, (held.get(label) ?? 0) + 1);
    let best = { shares: false, growth: Number.POSITIVE_INFINITY, pair: [parts[0]!, parts[1]!] as const, ...parts[0]! };
    parts.forEach((x, i) => {
      for (const y of parts.slice(i + 1)) {
        const shared = x.labels.filter(label => y.labels.includes(label));
        const shares = shared.length > 0;
        if (best.shares && !shares) continue;
        const labels = [...new Set([...x.labels, ...y.labels])].filter(
          label => !shared.includes(label) || held.get(label)! > 2,
        );
        const growth = size(labels) - x.size - y.size;
        if (shares === best.shares && growth >= best.growth) continue;
        best = { shares, growth, pair: [x, y], order: [x.order, y.order], labels, size: size(labels) };
      }
    });
    const { pair, order, labels } = best;
    parts = [...parts.filter(part => !pair.includes(part)), { order, labels, size: best.size }];
  }
  return parts[0]!.order;
};

/**
 * The order with the least multiplications for a chain of matrices, of which the i-th is lengths[i] by lengths[i + 1]
 * (T. H. Cormen et al., Introduction to Algorithms, 14.2).
 */
export const chainOrder = (lengths: readonly number[]): Order => {
  const count = lengths.length - 1;
  const best = range(count).map(i => [{ cost: 0, order: i as Order }]);
  // best[i][n] is of the n + 1 matrices from the i-th on.
  for (let n = 1; n < count; n++) {
    for (let i = 0; i + n < count; i++) {
      const splits = range(n).map(k => {
        const [x, y] = [best[i]![k]!, best[i + k + 1]![n - k - 1]!];
        const cost = x.cost + y.cost + lengths[i]! * lengths[i + k + 1]! * lengths[i + n + 1]!;
        return { cost, order: [x.order, y.order] as Order };
      });
      best[i]!.push(splits.reduce((x, y) => (y.cost < x.cost ? y : x)));
    }
  }
  return best[0]![count - 1]!.order;
};
