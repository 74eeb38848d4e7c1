/** `npm run bench -- SUITE… [--json FILE]`: times suites with the benchmark package; medians, and how far they spread. */
import { writeFileSync } from 'node:fs';
import Benchmark from 'benchmark';
import { Command } from 'commander';
import { suites } from './suites.js';

interface Row {
  readonly suite: string;
  readonly case: string;
  readonly impl: 'tenfold';
  /** Median milliseconds of a run. */
  readonly ms: number;
  /** Half the distance between the quartiles, in milliseconds. */
  readonly spread: number;
  readonly gflops?: number;
  readonly threads: 1;
}

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.round(q * (sorted.length - 1))]!;

const command = new Command('npm run bench --')
  .argument('[suites...]', `out of ${Object.keys(suites).join(', ')}; all of them if none is named`)
  .option('--json <file>', 'write the rows there as well')
  .parse();
const names = command.args.length === 0 ? Object.keys(suites) : command.args;
const unknown = names.filter(name => suites[name] === undefined);
if (unknown.length > 0)
  command.error(`error: no suite ${unknown.join(', ')}. There are ${Object.keys(suites).join(', ')}.`);

const rows: Row[] = [];
for (const suite of names) {
  for (const { name, flops, expected, run } of suites[suite]!()) {
    const value = run();
    if (expected !== undefined && Math.abs(value - expected) > 1e-3 * (1 + Math.abs(expected))) {
      throw new Error(`${suite}/${name} gives ${value}, not ${expected}`);
    }
    const bench = new Benchmark(name, run, { minSamples: 15, maxTime: 3 }).run();
    const sorted = bench.stats.sample.map(seconds => 1000 * seconds).sort((a, b) => a - b);
    const ms = quantile(sorted, 0.5);
    const spread = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2;
    const row: Row = {
      suite,
      case: name,
      impl: 'tenfold',
      ms,
      spread,
      ...(flops === undefined ? {} : { gflops: flops / ms / 1e6 }),
      threads: 1,
    };
    rows.push(row);
    const rate = row.gflops === undefined ? '' : `  ${row.gflops.toFixed(2)} GFLOP/s`;
    console.log(
      `${suite.padEnd(8)}${name.padEnd(32)}${ms.toPrecision(4).padStart(10)} ms ±${spread.toPrecision(2)}${rate}`,
    );
  }
}
const { json } = command.opts<{ json?: string }>();
if (json !== undefined) writeFileSync(json, `${JSON.stringify({ rows }, null, 2)}\n`);
