/**
 * `npm run bench -- SUITE… [--json FILE]`: times implementations side by side, all in this process and in turns.
 * Results are compared before anything is timed.
 */
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import type { GpuOptions } from './gpu/gpu.js';
import { gpuOptions, modeOption } from './gpu/options.js';
import { explanation, jsonOf, tablesOf } from './gpu/output.js';
import { fullEffort, quickEffort } from './measure.js';
import { rowLines, targetLine } from './report.js';
import type { Row, Target } from './row.js';
import { suites } from './suites/index.js';

const seconds = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('Give a number of seconds.');
  return value;
};

const all = [...suites.keys()];
const command = new Command('npm run bench --')
  .argument('[suites...]', `out of ${all.join(', ')}; all of them if none is named`)
  .option('--json <file>', 'write rows, ratios and targets there as well')
  .option('--quick', 'a few short samples, to see that everything runs', false)
  .option('--slowest <seconds>', 'leave implementations out whose single run would take longer', seconds)
  .addHelpText('after', `\n${[...suites].map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`).join('\n')}`);
for (const option of [modeOption(), ...gpuOptions()]) command.addOption(option);
command.parse();
const { json, quick, slowest, mode, only, budget } = command.opts<{
  readonly json?: string;
  readonly quick: boolean;
  readonly slowest?: number;
  readonly mode?: NonNullable<GpuOptions['mode']>;
  readonly only: NonNullable<GpuOptions['only']>;
  readonly budget?: number;
}>();
const names = command.args.length === 0 ? all : command.args;
const unknown = names.filter(name => !suites.has(name));
if (unknown.length > 0) command.error(`error: no suite ${unknown.join(', ')}. There are ${all.join(', ')}.`);

const effort = { ...(quick ? quickEffort : fullEffort), ...(slowest === undefined ? {} : { slowest }) };
const onGpu: GpuOptions = { mode: mode ?? null, quick, only, ...(budget === undefined ? {} : { budget }) };
const rows: Row[] = [];
const targets: Target[] = [];
const tables: string[] = [];
for (const name of names) {
  const suite = suites.get(name)!;
  const own = await suite.run(effort, some => console.log(rowLines(some)), onGpu);
  rows.push(...own);
  targets.push(...(suite.targets?.(own) ?? []));
  tables.push(...tablesOf(own));
}
console.log(`\n${tables.join('\n\n')}`);
console.log(`\n${explanation}`);
if (targets.length > 0) console.log(`\n${targets.map(targetLine).join('\n')}`);
if (json !== undefined) writeFileSync(json, jsonOf(rows, targets));
// Some libraries never let go of their GPU.
if (names.includes('gpu')) process.exit();
