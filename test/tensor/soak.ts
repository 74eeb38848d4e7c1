/**
 * Random graphs on the WebAssembly backend beside the reference, for as long as one likes: `npm run test:soak`.
 *
 * SOAK_SECONDS says how long (300), SOAK_SEED where to begin: with the seed of a failure, at the failure.
 */
import * as fc from 'fast-check';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { compare, type GeneratedGraph, graphs } from './differential.js';
import { rowGraphs } from './row-graphs.js';

const seconds = Number(process.env.SOAK_SECONDS ?? 300);
const first = Number(process.env.SOAK_SEED ?? Date.now() % 2 ** 31);
/** So many graphs of one kind by each seed. */
const graphsEach = 10;

const generators: readonly (readonly [name: string, graphs: fc.Arbitrary<GeneratedGraph>])[] = [
  ['graphs', graphs()],
  ['rows', rowGraphs()],
];

console.log(`${seconds} seconds of random graphs, from SOAK_SEED=${first} on`);
const end = performance.now() + 1000 * seconds;
let [tried, elements, compared, failures] = [0, 0, 0, 0];
for (let seed = first; performance.now() < end; seed++) {
  const [name, arbitrary] = generators[seed % generators.length]!;
  const details = fc.check(
    fc.property(arbitrary, ({ roots }) => {
      const count = compare(roots, wasmBackend);
      tried++;
      elements += count.elements;
      compared += count.compared;
    }),
    { seed, numRuns: graphsEach, interruptAfterTimeLimit: 60_000 },
  );
  if (!details.failed) continue;
  failures++;
  console.error(
    `\nSOAK_SEED=${seed} fails (${name}):\n${fc.defaultReportMessage(details)}\n${details.errorInstance}\n`,
  );
  if (failures >= 10) break;
}
console.log(`${tried} graphs, ${compared} of ${elements} elements known, ${failures} failures`);
process.exitCode = failures > 0 ? 1 : 0;
