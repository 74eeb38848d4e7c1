/**
 * `npm run bench -- SUITE… [--json FILE]`: times implementations side by side, all in this process and in turns.
 * Results are compared before anything is timed.
 */
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { fullEffort, quickEffort } from './measure.js';
import { rowLines, table, targetLine } from './report.js';
import { type Row, ratiosOf, type Target } from './row.js';
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
  .addHelpText('after', `\n${[...suites].map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`).join('\n')}`)
  .parse();
const { json, quick, slowest } = command.opts<{ json?: string; quick: boolean; slowest?: number }>();
const names = command.args.length === 0 ? all : command.args;
const unknown = names.filter(name => !suites.has(name));
if (unknown.length > 0) command.error(`error: no suite ${unknown.join(', ')}. There are ${all.join(', ')}.`);

const effort = { ...(quick ? quickEffort : fullEffort), ...(slowest === undefined ? {} : { slowest }) };
const rows: Row[] = [];
const targets: Target[] = [];
const tables: string[] = [];
for (const name of names) {
  const suite = suites.get(name)!;
  const own = await suite.run(effort, some => console.log(rowLines(some)));
  rows.push(...own);
  targets.push(...(suite.targets?.(own) ?? []));
  tables.push(table(name, own));
}
console.log(`\n${tables.join('\n\n')}`);
console.log('\n“2 × peer”: the peer takes twice as long as tenfold, or is twice as large. Null: the reason is above.');
if (targets.length > 0) console.log(`\n${targets.map(targetLine).join('\n')}`);
if (json !== undefined) {
  writeFileSync(json, `${JSON.stringify({ rows, ratios: ratiosOf(rows), targets }, null, 2)}\n`);
}
