/** Holds three times as much as values may take in memory, and reads and uses all of it in orders that cache badly. */
import { add, arange, jit, memoryStats, mul, setMemoryLimit, sub, sum, type Tensor, tensor } from 'tenfold';

const MiB = 2 ** 20;
setMemoryLimit(256 * MiB);

const [count, size] = [96, 2 * MiB];
type Row = Tensor<readonly [number], 'float32'>;

const make = jit((i: Tensor) => add(mul(arange(size), 2), i) as Row);
/** Odd and even ones are of other sizes than they were: blocks do not just take each other's places. */
const both = jit((a: Row, b: Row) => sub(add(a, a), b));

const held: Row[] = Array.from({ length: count }, (_, i) => make(tensor(i)));
const made = memoryStats();

let wrong = 0;
const check = (values: Float32Array, at: (j: number) => number): void => {
  for (let j = 0; j < values.length; j++) if (values[j] !== at(j)) wrong++;
};
const read = (i: number): void => check(held[i]!.dataSync(), j => Math.fround(2 * j + i));

for (let i = 0; i < count; i++) read(i);
for (let i = count - 1; i >= 0; i--) read(i);
const afterReading = memoryStats();

for (let i = 0; i < count; i++) {
  const [p, q] = [(i * 37) % count, (i * 53 + 11) % count];
  check(both(held[p]!, held[q]!).dataSync(), j => Math.fround(2 * j + 2 * p - q));
}
const afterUse = memoryStats();

// What has an array by now is replaced in part, so that clean and dirty values leave in turn.
for (let i = 0; i < count; i += 3) held[i] = both(held[i]!, held[i]!);
for (let i = 0; i < count; i++) read((i * 29) % count);
let total = 0;
for (const x of held) total += sum(sub(x, x)).item();

console.log(
  JSON.stringify({ wrong, total, made, afterReading, afterUse, last: memoryStats(), rss: process.memoryUsage().rss }),
);
