/** What comes out of the suite for GPUs: tables of its parts, and a file. */
import { table } from '../report.js';
import { type Row, ratiosOf, type Target } from '../row.js';

/** A table for each of the suites that the rows are of. */
export const tablesOf = (rows: readonly Row[]): readonly string[] =>
  [...new Set(rows.map(({ suite }) => suite))].map(suite =>
    table(
      suite,
      rows.filter(row => row.suite === suite),
    ),
  );

export const explanation =
  '“2 × peer”: the peer takes twice as long as tenfold, or is twice as large. Null: the reason is above.';

/** The file of `--json`. */
export const jsonOf = (rows: readonly Row[], targets: readonly Target[]): string =>
  `${JSON.stringify({ rows, ratios: ratiosOf(rows), targets }, null, 2)}\n`;
