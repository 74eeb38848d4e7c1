/** `node bench.mjs gpu [--json FILE]`: the bundled suite as a program of its own. */
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { rowLines, targetLine } from '../report.js';
import type { GpuOptions } from './gpu.js';
import { run } from './node.js';
import { gpuOptions, modeOption } from './options.js';
import { explanation, jsonOf, tablesOf } from './output.js';
import { gpuTargets } from './targets.js';

const command = new Command('node bench.mjs')
  .argument('<suite>', 'gpu')
  .option('--json <file>', 'write rows there as well');
for (const option of [modeOption(), ...gpuOptions()]) command.addOption(option);
command.option('--quick', 'a look whether everything runs', false).parse();
if (command.args[0] !== 'gpu') command.error('error: the only suite in this bundle is gpu.');
const { json, mode, ...options } = command.opts<
  Omit<GpuOptions, 'mode'> & { readonly json?: string; readonly mode?: GpuOptions['mode'] }
>();
const { rows, failed } = await run({ ...options, mode: mode ?? null }, some => console.log(rowLines(some)));
const targets = gpuTargets(rows);
console.log(`\n${tablesOf(rows).join('\n\n')}\n\n${explanation}\n\n${targets.map(targetLine).join('\n')}`);
if (json !== undefined) writeFileSync(json, jsonOf(rows, targets));
// Not all libraries let go of their devices.
process.exit(failed ? 1 : 0);
