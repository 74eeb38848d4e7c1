/** Rows, ratios and targets as text. */
import { limitImpl, limitOnTwo, ownImpl, ownOnTwo, type Ratio, type Row, ratiosOf, type Target } from './row.js';

const timeText = (ms: number): string => {
  if (ms < 0.1) return `${(1000 * ms).toPrecision(3)} µs`;
  return `${ms < 1000 ? ms.toPrecision(3) : ms.toFixed(0)} ms`;
};

const detailsOf = ({ ms, spread, gflops, gbps, bytes, threads, note }: Row): string =>
  [
    ms === null ? null : timeText(ms),
    spread === undefined ? null : `± ${timeText(spread)}`,
    gflops === undefined ? null : `${gflops.toPrecision(3)} GFLOP/s`,
    gbps === undefined ? null : `${gbps.toPrecision(3)} GB/s`,
    bytes === undefined ? null : `${(bytes / 1000).toFixed(1)} kB`,
    threads === 1 ? null : `${threads} threads`,
    note ?? null,
  ]
    .filter(part => part !== null)
    .join('  ');

/** A line for each row, as they come in. */
export const rowLines = (rows: readonly Row[]): string =>
  rows
    .map(row => `${row.suite.padEnd(7)} ${row.case.padEnd(44)} ${row.impl.padEnd(25)} ${row.reason ?? detailsOf(row)}`)
    .join('\n');

const cellOf = (row: Row | undefined): string => {
  if (row === undefined) return '';
  if (row.ms !== null) return timeText(row.ms);
  return row.bytes === undefined ? 'null' : `${(row.bytes / 1000).toFixed(1)} kB`;
};

const aligned = (lines: readonly (readonly string[])[]): string => {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map(line => line[column]!.length)));
  return lines
    .map(line => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]! + 2))).join(''))
    .join('\n');
};

/** A suite's cases by implementations, and how the best peer and the limit compare with as many threads. */
export const table = (suite: string, rows: readonly Row[]): string => {
  const impls = [...new Set(rows.map(({ impl }) => impl))];
  const cases = [...new Set(rows.map(row => row.case))];
  const ratios = ratiosOf(rows);
  const comparison = (title: string, impl: string, chosen: (ratio: Ratio) => boolean) => ({
    title,
    of: ratios.filter(ratio => ratio.own === impl && chosen(ratio)),
  });
  const comparisons = [
    comparison('best peer', ownImpl, ({ best }) => best),
    comparison('limit', ownImpl, ({ peer }) => peer === limitImpl),
    comparison('best on 2', ownOnTwo, ({ best }) => best),
    comparison('limit on 2', ownOnTwo, ({ peer }) => peer === limitOnTwo),
  ].filter(({ of }) => of.length > 0);
  const textOf = (found: Ratio | undefined): string =>
    found === undefined ? '' : `${found.ratio.toPrecision(3)} × ${found.peer}`;
  return aligned([
    [suite, ...impls, ...comparisons.map(({ title }) => title)],
    ...cases.map(name => [
      name,
      ...impls.map(impl => cellOf(rows.find(row => row.case === name && row.impl === impl))),
      ...comparisons.map(({ of }) => textOf(of.find(ratio => ratio.case === name))),
    ]),
  ]);
};

/** Whether a target is reached, in a line. */
export const targetLine = ({ suite, what, goal, measured, reached }: Target): string =>
  `target ${suite}: ${what}: ${goal}: ${measured ?? 'not measured'}: ${reached ? 'reached' : 'not reached'}`;
